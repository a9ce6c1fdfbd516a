package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

const (
	firstPause = 500 * time.Millisecond // after an error; doubles
	longPause  = 30 * time.Second
)

// dispatcher serves one stage.
type dispatcher struct {
	Config
	Deps
	*lease
	stage   Stage
	claimed []event.Event // claimed and not yet published, because the broker failed
}

func (d *dispatcher) run(ctx context.Context) {
	notified := d.Notifier.notifications()
	pause := time.Duration(0)
	for ctx.Err() == nil {
		began := time.Now()
		err := d.round(ctx)
		switch {
		case err == nil:
			pause = 0
		case ctx.Err() == nil:
			pause = min(max(2*pause, firstPause), longPause)
			d.warn(ctx, "work could not be issued", err, slog.Duration(telemetry.KeyWait, pause))
		}
		if pause > 0 {
			idle(ctx, pause, nil)
		} else {
			idle(ctx, max(d.Interval, time.Since(began)), notified) // a ledger that is slow is asked less
		}
	}
}

// round issues what is due now.
func (d *dispatcher) round(ctx context.Context) error {
	if err := d.publish(ctx); err != nil {
		return err
	}
	return d.during(ctx, d.issue)
}

// issue issues until the handlers have enough. Tenants take turns: one with a million devices makes none wait.
func (d *dispatcher) issue(ctx context.Context) error {
	tenants, err := d.Ledger.Tenants(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for len(tenants) > 0 && !d.Load.full(d.event(), broker.Bulk) {
		var again []device.TenantID
		for _, t := range tenants {
			n, err := d.claim(ctx, t)
			if err != nil {
				failed = append(failed, err) // the other tenants go on
			}
			if err := d.publish(ctx); err != nil {
				return errors.Join(append(failed, err)...)
			}
			if n == d.PerTenant {
				again = append(again, t)
			}
		}
		tenants = again
	}
	return errors.Join(failed...)
}

// finish issues what was claimed when ctx ended, and gives the lease back.
func (d *dispatcher) finish(ctx context.Context) {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	if err := d.publish(last); err != nil {
		d.warn(last, "claimed work is issued when it is overdue", err)
	}
	d.lease.finish(ctx)
}

// claim takes one turn's work of a tenant and returns how much it was.
func (d *dispatcher) claim(ctx context.Context, t device.TenantID) (int, error) {
	now := d.Now().UTC()
	c := ledger.Claim{Tenant: t, Now: now, Until: now.Add(d.Overdue), Limit: d.PerTenant}
	if d.stage == Submissions {
		ids, err := d.Ledger.ClaimSubmissions(ctx, c, ledger.SubmissionOpen, ledger.SubmissionPosted)
		for _, id := range slices.DeleteFunc(slices.Clone(ids), d.Load.has) {
			d.claimed = append(d.claimed, event.ForSubmission(d.Source, t, id, now))
		}
		return len(ids), err
	}
	due, err := d.Ledger.ClaimDevices(ctx, device.Stage(d.stage), c)
	held := func(one ledger.DueDevice) bool { return d.Load.has(one.ID) }
	for _, part := range chunks(slices.DeleteFunc(slices.Clone(due), held)) {
		e := event.ForDevices(d.event(), d.Source, t, part.ids, now)
		e.Batch = part.batch
		d.claimed = append(d.claimed, e)
	}
	return len(due), err
}

func (d *dispatcher) event() event.Type {
	switch d.stage {
	case Group:
		return event.DevicesRegistered
	case Submissions:
		return event.SubmissionDue
	}
	return event.DevicesCollected
}

// publish issues what was claimed. After an error it is tried again before anything else is claimed, under the same
// ids.
func (d *dispatcher) publish(ctx context.Context) error {
	if len(d.claimed) == 0 {
		return nil
	}
	if err := d.Emitter.Emit(ctx, d.claimed...); err != nil {
		return err
	}
	d.Logger.DebugContext(
		ctx,
		"work issued",
		slog.String(telemetry.KeyStage, string(d.stage)),
		slog.String(telemetry.KeyTenant, string(d.claimed[0].Tenant)),
		slog.Int(telemetry.KeyCount, len(d.claimed)),
	)
	d.claimed = nil
	return nil
}
