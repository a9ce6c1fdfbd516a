package submission_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/importer/internal/submission"
)

// tardy is a service to which nothing is sent before wait returns.
type tardy struct {
	submission.Autopilot
	wait func(context.Context) error
}

func (s tardy) Import(ctx context.Context, devices []autopilot.ImportDevice, id string) ([]autopilot.Imported, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	return s.Autopilot.Import(ctx, devices, id)
}

// delay puts wait before every POST.
func (r *fixture) delay(wait func(context.Context) error) {
	connect := r.Connect
	r.Connect = func(id device.TenantID) (submission.Autopilot, error) {
		client, err := connect(id)
		return tardy{client, wait}, err
	}
}

// absent is a ledger that cannot be written to while it is away.
type absent struct {
	submission.Ledger
	away *atomic.Bool
}

func (a absent) Advance(ctx context.Context, c ledger.SubmissionChange) (bool, error) {
	if a.away.Load() {
		return false, fault.New(fault.LedgerUnavailable, "made to fail by the test")
	}
	return a.Ledger.Advance(ctx, c)
}

func asleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A POST may take much longer than a dead worker is waited for: while its worker lives, nobody takes it for lost.
func TestSlowPOSTIsNotTakenForLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		ids := r.accept(contoso, machines(t, 1, 2)...)
		slowness := 3 * r.Timings.Lost
		r.delay(func(ctx context.Context) error { return asleep(ctx, slowness) })
		posted := make(chan error)
		go func() { posted <- r.handle(r.collected(contoso, ids...)) }()
		for end := time.Now().Add(slowness); time.Now().Before(end); {
			r.step() // whatever is due
		}
		if err := <-posted; err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			r.want(contoso, id, device.Submitted, "")
		}
		if posts, checks := len(r.posts()), len(r.sim.Log("imported.list")); posts != 1 || checks != 0 {
			t.Errorf("%d POSTs, %d looks", posts, checks)
		}
		r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
	})
}

// A worker that cannot renew its claim does not send any more: others may have looked already.
func TestClaimThatCannotBeRenewed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		away := &atomic.Bool{}
		times := 0
		r.Ledger = absent{r.Ledger, away}
		r.delay(func(ctx context.Context) error {
			if times++; times > 1 {
				return nil
			}
			away.Store(true)
			defer away.Store(false)
			return asleep(ctx, time.Hour)
		})
		r.sendsLater(t)
	})
}

// Nor does a process that stood still and does not know it yet.
func TestClaimThatRanOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		stood := time.Duration(0)
		r.Now = func() time.Time { return time.Now().Add(stood) }
		connect := r.Connect
		r.Connect = func(id device.TenantID) (submission.Autopilot, error) {
			stood = r.Timings.Claim
			return connect(id)
		}
		r.sendsLater(t)
	})
}

// sendsLater checks that devices are not sent at first, and then once.
func (r *fixture) sendsLater(t *testing.T) {
	t.Helper()
	ids := r.accept(contoso, machines(t, 1, 2)...)
	if err := r.handle(r.collected(contoso, ids...)); err != nil {
		t.Fatal(err)
	}
	r.want(contoso, ids[0], device.Collected, fault.GraphUnavailable)
	if n := len(r.posts()); n != 0 {
		t.Errorf("%d POSTs", n)
	}
	r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
	for _, id := range ids {
		r.want(contoso, id, device.Registered, "")
	}
	if n := len(r.posts()); n != 1 {
		t.Errorf("%d POSTs in the end", n)
	}
}
