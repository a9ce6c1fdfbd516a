package dispatch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/pipeline"
)

// fixture has the handlers of a type whose events end when the test says so.
type fixture struct {
	load *dispatch.Load
	use  pipeline.UseCase
	end  map[string]chan struct{}
}

func newFixture(typ event.Type, handlers int) *fixture {
	d := &fixture{load: dispatch.Config{}.NewLoad(handlers), end: map[string]chan struct{}{}}
	d.use = d.load.Around(typ, broker.Bulk, func(_ context.Context, e event.Event) error { <-d.end[e.ID]; return nil })
	d.load.Around(typ, broker.Single, nil) // another lane, which is idle
	return d
}

// begin has a handler begin the event.
func (d *fixture) begin(t *testing.T, e event.Event) {
	t.Helper()
	d.end[e.ID] = make(chan struct{})
	go func() {
		if err := d.use(t.Context(), e); err != nil {
			t.Error(err)
		}
	}()
	synctest.Wait()
}

func (d *fixture) finish(e event.Event) {
	close(d.end[e.ID])
	synctest.Wait()
}

// A handler may be slower than what makes work overdue: its work is not issued a second time while it has it.
func TestWorkInHandIsNotOverdue(t *testing.T) {
	t.Parallel()
	for stage, typ := range map[dispatch.Stage]event.Type{dispatch.Import: event.DevicesCollected, dispatch.Submissions: event.SubmissionDue} {
		synctest.Test(t, func(t *testing.T) {
			f := new(fake).add("contoso", 1, time.Now()).add("fabrikam", 1, time.Now().Add(15*time.Minute))
			if stage == dispatch.Submissions {
				f.devices, f.submissions = nil, f.devices
			}
			out := &emitted{}
			d := newFixture(typ, 2)
			stop := start(
				t,
				dispatch.Config{Stages: []dispatch.Stage{stage}},
				dispatch.Deps{Ledger: f, Emitter: out, Load: d.load},
			)
			defer stop()
			first := out.take()
			d.begin(t, first[0])
			later(31 * time.Minute)
			if got := named(out.take()); len(first) != 1 || got["contoso-0"] > 0 || got["fabrikam-1"] == 0 {
				t.Errorf("%s: %v issued, then %v; a neighbour is not held up", stage, named(first), got)
			}
			d.finish(first[0])
			later(11 * time.Minute)
			if got := named(out.take()); got["contoso-0"] == 0 {
				t.Errorf("%s: it was not finished, and is not issued again: %v", stage, got)
			}
		})
	}
}

// While all handlers are busy, what was issued waits in the broker. None of it is taken for lost, and nothing is added.
func TestBusyHandlersGetNoMore(t *testing.T) {
	t.Parallel()
	known := overload(t, true)
	unknown := overload(t, false)
	t.Logf(
		"3 events that take 15 minutes each: %d issued while they wait and are worked on, %d without a Load",
		known,
		unknown,
	)
	if known != 0 || unknown == 0 {
		t.Error("a busy handler gets more, or would not without a Load")
	}
}

// overload has one handler work through 3 events, and returns how many more were issued meanwhile.
func overload(t *testing.T, known bool) (more int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake).add("contoso", 300, time.Now())
		out := &emitted{}
		d := newFixture(event.DevicesCollected, 1)
		deps := dispatch.Deps{Ledger: f, Emitter: out, Load: d.load}
		deps.Notifier = new(dispatch.Notifier)
		if !known {
			deps.Load = nil
		}
		stop := start(t, dispatch.Config{}, deps)
		defer stop()
		waiting := out.take()
		f.add("contoso", 1, time.Now().Add(time.Minute))
		for _, e := range waiting { // each takes longer than work takes to get overdue; the next one follows at once
			d.begin(t, e)
			deps.Notifier.Notify()
			later(15 * time.Minute)
			more += len(out.take())
			d.finish(e)
		}
		later(10 * time.Minute)
		if got := named(out.take()); len(waiting) != 3 || len(got) != 301 { // the fake ledger's devices stay due
			t.Errorf("%d events at first, %d devices once a handler is free", len(waiting), len(got))
		}
	})
	return more
}
