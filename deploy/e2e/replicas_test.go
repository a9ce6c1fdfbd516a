package e2e

import (
	"context"
	"testing"
	"time"

	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
)

// replicas are two pipelines as processes of their own, on one ledger and one broker.
type replicas struct {
	file     *demofile.File
	fixture  *fixture
	one, two *host
}

func startReplicas(t *testing.T, e engine, rows int, change func(*fixture)) *replicas {
	t.Helper()
	r := &replicas{file: demo(t, rows), fixture: newFixture(t, simulator.Fast(), 1, nil)}
	r.fixture.plant(t, r.file)
	change(r.fixture)
	s := e.open(t)
	r.one = newHost(t)
	r.two = newHost(t)
	for name, h := range map[string]*host{"one": r.one, "two": r.two} {
		o := order{Ledger: s.ledger, Broker: s.broker, Tenants: r.fixture.tenants, Name: name}
		h.run(t, o, func(int) order { return o })
	}
	return r
}

// submit waits for both, so that both take part, and sends the file.
func (r *replicas) submit(t *testing.T) batch {
	t.Helper()
	for _, h := range []*host{r.one, r.two} {
		awaittest.True(t, "a replica is ready", func(ctx context.Context) bool {
			if _, err := h.trouble(); err != nil {
				t.Fatal(err)
			}
			return h.as(1).Get(ctx, "/v1/devices?serial=none", new(any)) == nil
		})
	}
	return r.two.submit(t, 1, r.file.CSV)
}

// Two replicas keep to one budget together, and send no device twice.
func TestReplicasShareABudget(t *testing.T) {
	onEngines(t, suiteReplicas, func(t *testing.T, e engine) {
		const limit, window = 10, 5 * time.Second
		r := startReplicas(t, e, 36, func(w *fixture) {
			l := &w.tenants[0].Limits
			l.Writes = limit
			l.Window = window
			l.ImportSize = 1
		})
		b := r.submit(t)
		s := b.finished(t)
		if err := s.Conserved(); err != nil || s.States["ready"] != 29 {
			t.Errorf("%+v %v", s, err)
		}
		r.fixture.sentOnce(t)
		one := r.fixture.asked("one")
		two := r.fixture.asked("two")
		if one == 0 || two == 0 {
			t.Errorf("one replica sent %d imports, the other %d", one, two)
		}
		log := r.fixture.sim.Server.Log(writes...)
		span := log[len(log)-1].Time.Sub(log[0].Time)
		// What a bucket gives in that time. Half a bucket more, as a request may be on its way for a while.
		most := limit + limit/2 + int(limit*span/window)
		t.Logf("%d and %d imports; %d writes in %s, at most %d", one, two, len(log), span, most)
		if len(log) > most {
			t.Errorf("%d writes in %s, the budget has %d", len(log), span, most)
		}
		discreet(t, "a log", append(r.one.logs.bytes(), r.two.logs.bytes()...), r.file)
	})
}

// One of two replicas dies in the middle of its work. The other one takes over.
func TestAReplicaDies(t *testing.T) {
	onEngines(t, suiteReplicas, func(t *testing.T, e engine) {
		r := startReplicas(t, e, 60, func(w *fixture) { w.tenants[0].Limits.ImportSize = 4 })
		b := r.submit(t)
		b.until(
			t,
			"the replica that will die has imported something",
			func(Status) bool { return r.fixture.asked("one") > 1 },
		)
		r.one.kill()
		if s := b.status(t); s.InFlight() == 0 {
			t.Errorf("it died too late: %+v", s)
		}
		s := b.finished(t)
		if err := s.Conserved(); err != nil || s.States["ready"] != 53 {
			t.Errorf("%+v %v", s, err)
		}
		r.fixture.cleaned(t)
		r.fixture.sentOnce(t)
		t.Logf("%d imports by the dead, %d by the other", r.fixture.asked("one"), r.fixture.asked("two"))
	})
}
