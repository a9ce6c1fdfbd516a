package e2e

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/event"
)

// writes are the calls that change something at Microsoft.
var writes = []string{
	"imported.import",
	"imported.create",
	"imported.delete",
	"identities.updateDeviceProperties",
	"identities.delete",
}

const allTypes = string(
	event.DevicesCollected + " " + event.DevicesReady + " " + event.DevicesRegistered + " " + event.SubmissionDue,
)

// Every message comes again, in the middle and after the end: nothing changes, neither here nor at Microsoft.
func TestFullRedelivery(t *testing.T) {
	onEngines(t, suiteRedelivery, func(t *testing.T, e engine) {
		file := contradicted(t, demo(t, 60))
		w := newFixture(t, simulator.Fast(), 1, nil)
		w.plant(t, file)
		w.tenants[0].Limits.ImportSize = 20
		tapped := newTap()
		twice := inTheMiddle(t, tapped)
		c := w.config(t, e.open(t))
		c.Hooks.Broker = tapped.hook
		p := start(t, c)
		b := p.submit(t, 1, file.CSV)
		s := p.finished(t, b)
		if s.States["ready"] != 53 || s.States["held"] != 1 || s.Conflicts["held"] != 1 {
			t.Errorf("unexpected end: %+v", s)
		}
		w.cleaned(t)
		w.sentOnce(t)
		if got := twice(); !slices.Equal(
			got,
			[]string{string(event.DevicesCollected), string(event.SubmissionDue), string(event.DevicesRegistered)},
		) {
			t.Errorf("redelivered in the middle behind %v", got)
		}

		rows := b.rows(t)
		registered := w.registered(t, 0)
		calls := w.calls(writes...)
		ids, err := tapped.again(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := tapped.kinds(); got != allTypes {
			t.Errorf("redelivered: %s, want all of: %s", got, allTypes)
		}
		awaittest.State(t, "every message is handled again", func(context.Context) (int, bool) {
			n, err := tapped.finished(ids)
			if err != nil {
				t.Fatal(err)
			}
			return n, n == len(ids)
		})
		t.Logf("%d messages handled again", len(ids))
		if diff := cmp.Diff(rows, b.rows(t)); diff != "" {
			t.Errorf("rows changed:\n%s", diff)
		}
		if diff := cmp.Diff(registered, w.registered(t, 0)); diff != "" {
			t.Errorf("Microsoft's side changed:\n%s", diff)
		}
		if again := w.calls(writes...); again != calls {
			t.Errorf("%d calls that change something, %d before", again, calls)
		}
	})
}

// inTheMiddle makes everything come again each time an event of a new type has been published, and returns what those
// were.
func inTheMiddle(t *testing.T, tapped *tap) func() []string {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	tapped.published = func(name string) {
		mu.Lock()
		fresh := !slices.Contains(seen, name) && name != string(event.DevicesReady)
		if fresh {
			seen = append(seen, name)
		}
		mu.Unlock()
		if !fresh {
			return
		}
		if _, err := tapped.again(t.Context()); err != nil {
			t.Error(err)
		}
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

// The broker forgets everything at every stage: the messages in its streams and those in the hands of a consumer that
// dies. It only takes longer.
func TestPurgeOnlyDelays(t *testing.T) {
	onEngines(t, suitePurge, func(t *testing.T, e engine) {
		file := demo(t, 60)
		w := newFixture(t, simulator.Fast(), 1, nil)
		w.plant(t, file)
		w.tenants[0].Limits.ImportSize = 20
		s := e.open(t)
		tapped := newTap()
		c := w.config(t, s)
		c.Hooks.Broker = tapped.hook
		tapped.lose(string(event.DevicesCollected))
		p := start(t, c)
		b := p.submit(t, 1, file.CSV)
		stages := []event.Type{event.DevicesCollected, event.SubmissionDue, event.DevicesRegistered, ""}
		for i, stage := range stages[:3] {
			got := b.until(
				t,
				"a message is lost: "+string(stage),
				func(Status) bool { return tapped.lostOf(string(stage)) > 0 },
			)
			if got.InFlight() == 0 {
				t.Errorf("nothing in flight when %s are lost: %+v", stage, got)
			}
			if err := s.purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			tapped.lose(string(stages[i+1]))
		}
		end := p.finished(t, b)
		if end.States["ready"] != 53 || end.States["held"] != 1 {
			t.Errorf("unexpected end: %+v", end)
		}
		w.cleaned(t)
		w.sentOnce(t)
	})
}
