package submission_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/service"
	"taxiway.example/services/importer/internal/submission"
)

// A handler that is told to stop while the answer is out waits for it for a while, and commits what is known then.
func TestStoppedWhileSending(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		ids := r.accept(contoso, machines(t, 1, 2)...)
		r.fault(simulator.Fault{Operation: importing, Effect: simulator.Hang})
		ctx, stop := context.WithCancel(t.Context())
		began := time.Now()
		time.AfterFunc(5*time.Second, stop)
		if err := r.Submit(ctx, r.collected(contoso, ids...)); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > service.ShutdownGrace {
			t.Errorf("stopping took %s", took)
		}
		r.want(contoso, ids[0], device.Submitting, "")
		if sub := r.open()[0]; sub.Code != fault.GraphUnknownOutcome || time.Until(sub.Due) > time.Minute {
			t.Errorf("the submission waits with %q until %s", sub.Code, sub.Due)
		}
		r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
		for _, id := range ids {
			r.want(contoso, id, device.Registered, "")
		}
	})
}

// A POST under way when the process is told to stop is not broken off, and its answer is kept.
func TestStoppedWhileTheAnswerIsSlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		ids := r.accept(contoso, machines(t, 1, 2)...)
		r.delay(func(ctx context.Context) error { return asleep(ctx, 15*time.Second) })
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if err := r.Submit(ctx, r.collected(contoso, ids...)); err != nil {
			t.Error(err)
		}
		for _, id := range ids {
			r.want(contoso, id, device.Submitted, "")
		}
		r.recordsFit(contoso, r.begun.all[0].ID)
	})
}

// A handler that is told to stop before anything was sent gives its devices back at once, at no cost.
func TestStoppedBeforeSending(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		ids := r.accept(contoso, machines(t, 1, 2)...)
		ctx, stop := context.WithCancel(t.Context())
		r.Ledger = begins{r.Ledger, func() error { stop(); return nil }}
		e := r.collected(contoso, ids...)
		if err := r.Submit(ctx, e); !fault.IsCancel(err) {
			t.Errorf("stopped with %v", err)
		}
		if n := len(r.posts()); n != 0 {
			t.Fatalf("%d POSTs", n)
		}
		for _, id := range ids {
			if d := r.want(contoso, id, device.Collected, ""); d.Attempts != 0 || d.Due.IsZero() ||
				d.Due.After(time.Now()) {
				t.Errorf("%d attempts, due %s", d.Attempts, d.Due)
			}
		}
		if open := r.open(); len(open) != 0 {
			t.Errorf("%d submissions are open", len(open))
		}
		r.sent(t, e, ids)
	})
}

// begins is a ledger that has something happen once a submission has begun; an error takes the place of the answer.
type begins struct {
	submission.Ledger
	then func() error
}

func (b begins) Begin(
	ctx context.Context, s ledger.Submission, refs []ledger.Ref, by string,
) ([]device.Device, error) {
	won, err := b.Ledger.Begin(ctx, s, refs, by)
	if err == nil {
		err = b.then()
	}
	return won, err
}

// The ledger began a submission, and its answer was lost; or it does not take the refusal of a POST. The process knows
// that nothing was sent, and takes the submission back when the ledger answers again.
func TestUnsentIsTakenBack(t *testing.T) {
	lost := fault.New(fault.LedgerUnavailable, "made to fail by the test")
	for name, prepare := range map[string]func(*fixture, *atomic.Bool){
		"the answer to the commit was lost": func(r *fixture, away *atomic.Bool) {
			r.Ledger = begins{absent{r.Ledger, away}, func() error { away.Store(true); return lost }}
		},
		"the refusal could not be committed": func(r *fixture, away *atomic.Bool) {
			r.fault(simulator.Fault{Operation: importing, Effect: simulator.Reply, Status: 403})
			r.Ledger = begins{absent{r.Ledger, away}, func() error { away.Store(true); return nil }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				ids := r.accept(contoso, machines(t, 1, 2)...)
				sound := r.Ledger
				var away atomic.Bool
				prepare(r, &away)
				living, die := context.WithCancel(t.Context())
				var ended sync.WaitGroup
				ended.Go(func() {
					if err := r.Withdraw(living); err != nil {
						t.Error(err)
					}
				})
				if err := r.Submit(t.Context(), r.collected(contoso, ids...)); err == nil {
					t.Error("acknowledged")
				}
				time.Sleep(10 * time.Second)
				r.want(contoso, ids[0], device.Submitting, "")
				away.Store(false)
				time.Sleep(10 * time.Second)
				for _, id := range ids {
					if d := r.want(contoso, id, device.Collected, ""); d.Attempts != 0 || d.Due.After(time.Now()) {
						t.Errorf("%d attempts, due %s", d.Attempts, d.Due)
					}
				}
				die()
				ended.Wait()
				r.Ledger = sound
				posts := len(r.posts())
				r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
				for _, id := range ids {
					r.want(contoso, id, device.Registered, "")
				}
				if n := len(r.posts()) - posts; n != 1 {
					t.Errorf("%d POSTs", n)
				}
			})
		})
	}
}

// sent hands out an event again and checks that its devices were POSTed once, at once, and are registered.
func (r *fixture) sent(t *testing.T, e event.Event, ids []string) {
	t.Helper()
	time.Sleep(time.Minute) // the gate opens
	for range 2 {
		if err := r.handle(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		r.want(contoso, id, device.Submitted, "")
	}
	r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
	for _, id := range ids {
		r.want(contoso, id, device.Registered, "")
	}
	if n := len(r.posts()); n != 1 {
		t.Errorf("%d POSTs", n)
	}
}

// The answer came, and with it the word to stop: what it says is kept.
func TestStoppedWithTheAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		ids := r.accept(contoso, machines(t, 1, 2)...)
		ctx, stop := context.WithCancel(t.Context())
		r.through(glass{posted: func(records []autopilot.Imported) []autopilot.Imported { stop(); return records }})
		if err := r.Submit(ctx, r.collected(contoso, ids...)); err != nil {
			t.Error(err)
		}
		for _, id := range ids {
			r.want(contoso, id, device.Submitted, "")
		}
	})
}
