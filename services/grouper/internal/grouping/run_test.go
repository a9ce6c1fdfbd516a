package grouping_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/slowness"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/grouper"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openBroker(t *testing.T) broker.Broker {
	t.Helper()
	b, err := engine.OpenBroker(t.Context(), "nats+embedded:"+t.TempDir(), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestRun is the service as it runs: embedded broker, SQLite, the simulator with delays. Half of the devices come by an
// event, the event of the other half was lost.
func TestRun(t *testing.T) {
	w := newFixture(t, func(s *setup) {
		s.sim = simulator.Fast()
		s.sim.Now = time.Now
	})
	w.t = time.Now()
	w.stage.Now = time.Now
	w.profile(w.group("KIOSK"))
	ids := w.all(40, "KIOSK", "LAB")
	w.onItsWay(ids[:20]...)
	b := openBroker(t)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	stretch := slowness.Stretcher()
	ready := make(chan string, 10*len(ids))
	running.Go(func() {
		_ = b.Consume(
			ctx,
			broker.Subscription{Name: "test", Type: string(event.DevicesReady)},
			func(_ context.Context, d broker.Delivery) broker.Outcome {
				e, err := event.Decode(d.Headers, d.Body)
				for _, id := range e.Devices {
					ready <- id
				}
				if err != nil {
					return broker.DeadLetter(err)
				}
				return broker.Acknowledge()
			},
		)
	})
	running.Go(func() {
		service, err := grouper.New(grouper.Config{
			Timings: grouper.Timings{
				First:  stretch(50 * time.Millisecond),
				Max:    stretch(200 * time.Millisecond),
				Groups: time.Millisecond,
			},
			Config: worker.Config{Dispatch: dispatch.Timings{Interval: stretch(20 * time.Millisecond)}},
		}, grouper.Deps{
			Deps: worker.Deps{
				Ledger:   w.ledger,
				Broker:   b,
				Tenants:  w.tenants,
				Registry: w.metrics,
			}, Autopilot: w.clients,
		})
		if err == nil {
			err = service.Run(ctx)
		}
		if err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	if err := pipeline.NewEmitter(b).Emit(ctx, event.ForDevices(event.DevicesRegistered, "/test", here, ids[:20], time.Now())); err != nil {
		t.Error(err)
	}
	seen := map[string]bool{}
	for len(seen) < len(ids) {
		seen[awaittest.Receive(t, "the next ready device", ready)] = true
	}
	awaittest.True(t, "committed right after they were announced", func(context.Context) bool {
		return !slices.ContainsFunc(ids, func(id string) bool { return w.device(id).State != device.Ready })
	})
	stop()
	running.Wait()
	if n := w.count(updates); n != len(ids) {
		t.Errorf("%d updates for %d devices", n, len(ids))
	}
}

func TestRunRefusesImpossibleTimings(t *testing.T) {
	for name, timings := range map[string]grouper.Timings{
		"negative":             {First: -1},
		"members outlive wait": {First: time.Second, Members: 2 * time.Second},
		"no attempts":          {MaxAttempts: -1},
	} {
		if _, err := grouper.New(grouper.Config{Timings: timings}, grouper.Deps{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
