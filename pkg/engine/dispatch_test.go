package engine_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/slowness"
)

func open(t *testing.T) *engine.Parts {
	t.Helper()
	dir := t.TempDir()
	parts, err := engine.Open(
		t.Context(),
		"sqlite:"+filepath.Join(dir, "ledger.db"),
		"nats+embedded:"+filepath.Join(dir, "broker"),
		engine.Options{},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := parts.Close(); err != nil {
			t.Error(err)
		}
	})
	return parts
}

// accept puts devices into the ledger that are due now.
func accept(t *testing.T, l ledger.Ledger, tenant device.TenantID, from, n int) {
	t.Helper()
	b := ledger.Batch{ID: "b-" + string(tenant), Tenant: tenant, State: ledger.Receiving, Created: time.Now().UTC()}
	if _, _, err := l.OpenBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	rows := make([]intake.Candidate, n)
	for i := range rows {
		rows[i] = ledgertest.Candidate(i+1, from+i)
	}
	if _, err := l.Accept(t.Context(), b, rows, ledger.Terms{Due: time.Now().UTC()}); err != nil {
		t.Fatal(err)
	}
}

// TestDispatchThroughRealParts carries due devices from a ledger through a broker to a use case. The first delivery of
// everything is lost (the use case does nothing); overdue, it is issued again, though two processes dispatch.
func TestDispatchThroughRealParts(t *testing.T) {
	t.Parallel()
	const large, small = 320, 2
	parts := open(t)
	l := parts.Ledger
	b := parts.Broker
	accept(t, l, "contoso", 1, large)
	accept(t, l, "fabrikam", 1000, small)

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 3)
	seen := make(chan event.Event, 1000)
	use := func(ctx context.Context, e event.Event) error {
		devices, err := l.Devices(ctx, e.Tenant, e.Devices)
		if err != nil {
			return err
		}
		if len(devices) != len(e.Devices) {
			t.Errorf("%d devices in the event, %d in the ledger", len(e.Devices), len(devices))
		}
		seen <- e
		return nil
	}
	go func() {
		sub := broker.Subscription{Name: "importer", Type: string(event.DevicesCollected), Concurrency: 2}
		ended <- b.Consume(ctx, sub, pipeline.New(pipeline.Config{Subscription: "importer", DeadLetters: l}, use))
	}()
	stretch := slowness.Stretcher()
	for _, owner := range []string{"one", "two"} {
		cfg := dispatch.Config{
			Stages: []dispatch.Stage{dispatch.Import, dispatch.Submissions}, Source: "/taxiway/test", Owner: owner,
			Timings: dispatch.Timings{Interval: stretch(20 * time.Millisecond), Overdue: stretch(time.Second)},
		}
		go func() {
			ended <- dispatch.Run(ctx, cfg, dispatch.Deps{Ledger: l, Emitter: pipeline.NewEmitter(b)})
		}()
	}
	times := map[string]int{}
	twice := 0
	for twice < large+small {
		for _, id := range awaittest.Receive(t, "all devices are seen again", seen).Devices {
			if times[id]++; times[id] == 2 {
				twice++
			}
		}
	}
	cancel()
	for range 3 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	for _, stage := range []string{"dispatch/import", "dispatch/submissions"} {
		if held, err := l.Acquire(t.Context(), stage, "three", time.Minute, time.Now().UTC()); err != nil || !held {
			t.Errorf("%s was not released: %v", stage, err)
		}
	}
}
