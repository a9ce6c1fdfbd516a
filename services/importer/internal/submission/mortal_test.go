package submission_test

import (
	"context"
	"errors"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/budget"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/importer/internal/submission"
)

var errCrash = errors.New("the process is gone")

// reaper ends the process at its nth call to a neighbour, before or after the call has had its effect. From then on
// every call fails, as nothing of a dead process has any effect.
type reaper struct {
	at     int // 0 = never
	after  bool
	calls  int
	writes []int // which of the calls have an effect
	dead   bool
}

// read carries out one call to a neighbour that has no effect.
func read[T any](r *reaper, do func() (T, error)) (T, error) {
	var zero T
	if r.dead {
		return zero, errCrash
	}
	r.calls++
	if r.calls != r.at {
		return do()
	}
	r.dead = true
	if r.after {
		_, _ = do()
	}
	return zero, errCrash
}

// write is read for a call with an effect.
func write[T any](r *reaper, do func() (T, error)) (T, error) {
	if !r.dead {
		r.writes = append(r.writes, r.calls+1)
	}
	return read(r, do)
}

type mortalLedger struct {
	submission.Ledger
	r *reaper
}

func (m mortalLedger) Devices(ctx context.Context, id device.TenantID, ids []string) ([]device.Device, error) {
	return read(m.r, func() ([]device.Device, error) { return m.Ledger.Devices(ctx, id, ids) })
}

func (m mortalLedger) BySerial(
	ctx context.Context,
	id device.TenantID,
	serial device.Serial,
) ([]device.Device, error) {
	return read(m.r, func() ([]device.Device, error) { return m.Ledger.BySerial(ctx, id, serial) })
}

func (m mortalLedger) Timeline(ctx context.Context, id device.TenantID, d string) ([]ledger.Transition, error) {
	return read(m.r, func() ([]ledger.Transition, error) { return m.Ledger.Timeline(ctx, id, d) })
}

func (m mortalLedger) Captures(ctx context.Context, id device.TenantID, ids []string) (map[string][]byte, error) {
	return read(m.r, func() (map[string][]byte, error) { return m.Ledger.Captures(ctx, id, ids) })
}

func (m mortalLedger) Move(ctx context.Context, moves ...ledger.Move) ([]bool, error) {
	return write(m.r, func() ([]bool, error) { return m.Ledger.Move(ctx, moves...) })
}

func (m mortalLedger) Begin(
	ctx context.Context,
	s ledger.Submission,
	refs []ledger.Ref,
	by string,
) ([]device.Device, error) {
	return write(m.r, func() ([]device.Device, error) { return m.Ledger.Begin(ctx, s, refs, by) })
}

func (m mortalLedger) Advance(ctx context.Context, c ledger.SubmissionChange) (bool, error) {
	return write(m.r, func() (bool, error) { return m.Ledger.Advance(ctx, c) })
}

func (m mortalLedger) Submission(ctx context.Context, id device.TenantID, sub string) (ledger.Submission, error) {
	return read(m.r, func() (ledger.Submission, error) { return m.Ledger.Submission(ctx, id, sub) })
}

func (m mortalLedger) Take(
	ctx context.Context, id device.TenantID, bucket string, n int, rate budget.Rate, now time.Time,
) (time.Duration, error) {
	return write(m.r, func() (time.Duration, error) { return m.Ledger.Take(ctx, id, bucket, n, rate, now) })
}

func (m mortalLedger) Acquire(
	ctx context.Context, name, owner string, ttl time.Duration, now time.Time,
) (bool, error) {
	return write(m.r, func() (bool, error) { return m.Ledger.Acquire(ctx, name, owner, ttl, now) })
}

func (m mortalLedger) Release(ctx context.Context, name, owner string) error {
	_, err := write(m.r, func() (struct{}, error) { return struct{}{}, m.Ledger.Release(ctx, name, owner) })
	return err
}

type mortalAutopilot struct {
	submission.Autopilot
	r *reaper
}

func (m mortalAutopilot) Import(
	ctx context.Context,
	devices []autopilot.ImportDevice,
	id string,
) ([]autopilot.Imported, error) {
	return write(m.r, func() ([]autopilot.Imported, error) { return m.Autopilot.Import(ctx, devices, id) })
}

func (m mortalAutopilot) Imported(ctx context.Context, w autopilot.Wanted) ([]autopilot.Imported, error) {
	return read(m.r, func() ([]autopilot.Imported, error) { return m.Autopilot.Imported(ctx, w) })
}

func (m mortalAutopilot) FindBySerial(ctx context.Context, s device.Serial) ([]autopilot.Identity, error) {
	return read(m.r, func() ([]autopilot.Identity, error) { return m.Autopilot.FindBySerial(ctx, s) })
}

func (m mortalAutopilot) DeleteImported(ctx context.Context, ids ...string) ([]string, error) {
	return write(m.r, func() ([]string, error) { return m.Autopilot.DeleteImported(ctx, ids...) })
}

func (m mortalAutopilot) Sync(ctx context.Context) error {
	_, err := write(m.r, func() (struct{}, error) { return struct{}{}, m.Autopilot.Sync(ctx) })
	return err
}

type mortalEmitter struct {
	submission.Emitter
	r *reaper
}

func (m mortalEmitter) Emit(ctx context.Context, events ...event.Event) error {
	_, err := write(m.r, func() (struct{}, error) { return struct{}{}, m.Emitter.Emit(ctx, events...) })
	return err
}

// mortal returns the use case as a process that the reaper ends.
func (r *fixture) mortal(reap *reaper) submission.Service {
	s := r.Service
	s.Ledger = mortalLedger{r.Ledger, reap}
	s.Emitter = mortalEmitter{r.Emitter, reap}
	connect := r.Connect
	s.Connect = func(id device.TenantID) (submission.Autopilot, error) {
		client, err := connect(id)
		return mortalAutopilot{client, reap}, err
	}
	return s
}
