package e2e

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/fault"
)

// oneDevice is a file with the last row of a demo file of its own.
func oneDevice(t *testing.T, seed uint64) []byte {
	t.Helper()
	f, err := demofile.Generate(demofile.MinRows, seed)
	if err != nil {
		t.Fatal(err)
	}
	rows := sheetOf(t, f)
	n := len(rows) - 1
	return []byte(listHeader + rows.serial(n) + ",," + rows.hash(n) + "," + demofile.Tags[0] + "\r\n")
}

// A tenant with many devices that Microsoft throttles, and a budget of its own that is used up, makes no other tenant
// wait.
func TestOneTenantDoesNotWaitForAnother(t *testing.T) {
	t.Parallel()
	for i, tr := range []struct {
		name  string
		slow  func(*fixture)
		speed func(*fixture)
	}{
		{"throttled", func(w *fixture) {
			f := throttled("imported.import", "1")
			f.Tenant = w.tenants[0].EntraTenantID
			f.Times = -1
			if _, err := w.sim.Server.AddFault(f); err != nil {
				t.Error(err)
			}
		}, func(w *fixture) { w.sim.Server.RemoveFault(0) }},
		{"silent", func(w *fixture) {
			f := simulator.Fault{Tenant: w.tenants[0].EntraTenantID, Operation: "imported.import", Times: -1, Effect: simulator.Hang}
			if _, err := w.sim.Server.AddFault(f); err != nil {
				t.Error(err)
			}
		}, func(w *fixture) { w.sim.Server.RemoveFault(0) }},
	} {
		e := turn(i)
		t.Run(tr.name+"/"+e.name, func(t *testing.T) {
			t.Parallel()
			file := demo(t, 120)
			w := newFixture(t, simulator.Fast(), 2, nil)
			w.plant(t, file)
			w.tenants[0].Limits.ImportSize = 10
			tr.slow(w)
			p := start(t, hasty(w.config(t, e.open(t))))
			many := p.submit(t, 1, file.CSV)
			awaittest.True(
				t,
				"the first tenant's import is tried",
				func(context.Context) bool { return w.calls("imported.import", "token") > 1 },
			)
			single := p.submit(t, 2, oneDevice(t, 99))
			if s := p.finished(t, single); s.States["ready"] != 1 {
				t.Errorf("the single device: %+v", s)
			}
			if s := many.status(t); s.InFlight() != s.Outcomes["accepted"] || s.InFlight() == 0 {
				t.Errorf("the other tenant's devices are not all in flight: %+v", s)
			}
			tr.speed(w)
			if s := p.finished(t, many); s.States["ready"] != 113 {
				t.Errorf("the other tenant: %+v", s)
			}
			w.neverBlind(t)
		})
	}
}

// Nothing of a tenant is to be seen with another tenant's key.
func TestTenantsDoNotSeeOneAnother(t *testing.T) {
	t.Parallel()
	file := demo(t, demofile.MinRows)
	w := newFixture(t, simulator.Fast(), 2, nil)
	w.plant(t, file)
	p := start(t, w.config(t, turn(1).open(t)))
	mine := p.submit(t, 1, file.CSV)
	p.finished(t, mine)
	rows := mine.rows(t)
	other := p.as(2)
	for _, path := range []string{
		"/v1/batches/" + mine.id, "/v1/batches/" + mine.id + "/rows", "/v1/devices/" + rows[0].Device,
		"/v1/devices/" + rows[0].Device + "/timeline",
	} {
		if err := mine.Get(t.Context(), path, new(any)); err != nil {
			t.Errorf("%s with the right key: %v", path, err)
		}
		err := other.Get(t.Context(), path, new(any))
		p, ok := errors.AsType[*Problem](err)
		if !ok || p.Status != http.StatusNotFound || p.Code != string(fault.RequestNotFound) {
			t.Errorf("%s with another tenant's key: %v", path, err)
		}
	}
	search := "/v1/devices?serial=" + url.QueryEscape(sheetOf(t, file).serial(1))
	for who, want := range map[Client]int{mine.Client: 1, other: 0} {
		var found struct{ Devices []any }
		if err := who.Get(t.Context(), search, &found); err != nil || len(found.Devices) != want {
			t.Errorf("%d devices of that serial number, want %d: %v", len(found.Devices), want, err)
		}
	}
	// The same idempotency key and the same devices are another tenant's own business.
	theirs := p.submit(t, 2, file.CSV)
	if theirs.id == mine.id {
		t.Error("two tenants share a batch")
	}
	if s := p.finished(t, theirs); s.Outcomes["accepted"] != 6 || s.States["held"] != 6 {
		t.Errorf("devices that the first tenant has registered: %+v", s)
	}
}
