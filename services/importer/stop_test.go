package importer_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/slowness"
	"taxiway.example/services/importer"
)

// gated holds the answers to import calls back until it is opened, or the caller breaks off.
type gated struct {
	next http.RoundTripper
	held atomic.Int64
	open chan struct{}
}

// RoundTrip implements http.RoundTripper.
func (g *gated) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := g.next.RoundTrip(req)
	if err != nil || !strings.HasSuffix(req.URL.Path, "/import") {
		return resp, err
	}
	g.held.Add(1)
	select {
	case <-g.open:
		err = req.Context().Err()
	case <-req.Context().Done():
		err = req.Context().Err()
	}
	if err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// A process that is told to stop gets the answers to its imports and commits them: none becomes an unknown outcome.
func TestStopKeepsImportsUnderWay(t *testing.T) {
	t.Parallel()
	const imports = 4
	o := simulator.Fast()
	o.Delays.Import = simulator.Delay{Min: time.Hour, Max: time.Hour}
	w := newFixture(t, o)
	transport := &gated{next: w.sim.Transport(), open: make(chan struct{})}
	w.autopilot = autopilot.NewDirectory(autopilot.Settings{
		Tenants: w.tenants, Budget: w.ledger, HTTP: &http.Client{Transport: transport},
		Timeout: slowness.Stretch(time.Minute),
	})
	service, err := importer.New(importer.Config{}, w.deps())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	var all []string
	for i := range uint64(imports) {
		ids := w.accept("contoso", 1+10*i, 10)
		w.announce("contoso", ids)
		all = append(all, ids...)
	}
	awaittest.State(t, "imports under way", func(context.Context) (int64, bool) {
		n := transport.held.Load()
		return n, n == imports
	})
	stop()
	close(transport.open)
	if err := awaittest.Receive(t, "the end of Run", ended); err != nil {
		t.Errorf("Run: %v", err)
	}
	found, err := w.ledger.Devices(t.Context(), "contoso", all)
	if err != nil || len(found) != 10*imports {
		t.Fatalf("%d devices, %v", len(found), err)
	}
	for _, d := range found {
		if d.State != device.Submitted {
			t.Errorf("a device is left %s %s", d.State, d.Code)
		}
	}
}
