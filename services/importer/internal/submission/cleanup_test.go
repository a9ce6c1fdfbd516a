package submission_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/importer/internal/submission"
)

const deleting = "imported.delete"

// foreign imports devices as another tool would, in the same tenant.
func (r *fixture) foreign(t *testing.T, importID string) []string {
	t.Helper()
	client, err := r.graph.For(contoso)
	if err != nil {
		t.Fatal(err)
	}
	var rows []autopilot.ImportDevice
	for _, h := range machines(t, 500, 3) {
		rows = append(rows, autopilot.ImportDevice{Serial: device.NewSerial(serial(t, h)), Hash: h})
	}
	records, err := client.Import(t.Context(), rows, importID)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, one := range records {
		ids = append(ids, one.ID)
	}
	slices.Sort(ids)
	return ids
}

func (r *fixture) records() []string {
	var ids []string
	for _, one := range r.state(contoso).Imported {
		ids = append(ids, one.ID)
	}
	slices.Sort(ids)
	return ids
}

// Our records go, all of them and only them, and not before their outcomes are committed.
func TestOnlyOurRecordsAreDeleted(t *testing.T) {
	tests := map[string]struct {
		fault simulator.Fault
		glass glass
	}{
		"as usual": {},
		"a filter that filters nothing": {glass: glass{listed: func(records []autopilot.Imported) []autopilot.Imported {
			return append(records, autopilot.Imported{ID: "somebody-else's", ImportID: "another"}, autopilot.Imported{})
		}}},
		"deleted by somebody else": {fault: simulator.Fault{Operation: deleting, Effect: simulator.ReplyAfter, Status: 404, Times: 3}},
		"an answer is lost":        {fault: simulator.Fault{Operation: "batch", Effect: simulator.ResetAfter}},
		"throttled":                {fault: simulator.Fault{Operation: deleting, Effect: simulator.Reply, Status: 429, Times: 5, RetryAfter: "30"}},
		"refused for a while":      {fault: simulator.Fault{Operation: deleting, Effect: simulator.Reply, Status: 403, Times: 9}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				r.through(tt.glass)
				others := r.foreign(t, "99999999-9999-4999-8999-999999999999")
				ids := r.accept(contoso, machines(t, 1, 25)...)
				if tt.fault.Operation != "" {
					r.fault(tt.fault)
				}
				r.run(6*time.Hour, map[device.TenantID][]string{contoso: ids})
				for _, id := range ids {
					r.want(contoso, id, device.Registered, "")
				}
				if left := r.records(); !slices.Equal(left, others) {
					t.Errorf("left are %v, want %v", left, others)
				}
				for _, q := range r.sim.Log(deleting) {
					if slices.ContainsFunc(others, func(id string) bool { return strings.HasSuffix(q.Path, id) }) {
						t.Errorf("asked to delete %s", q.Path)
					}
				}
			})
		})
	}
}

// Deleting is the last thing to use the tenant's share of Graph: there is always room for an import.
func TestDeletingLeavesRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		tenants := configured(contoso)
		tenants[0].Limits.Writes = 10
		r := newFixture(t, t, knobs{tenants: tenants, timings: submission.Timings{Cleanup: time.Second}})
		ids := r.accept(contoso, machines(t, 1, 60)...)
		if err := r.handle(r.collected(contoso, ids...)); err != nil {
			t.Fatal(err)
		}
		for len(r.sim.Log(deleting)) == 0 {
			r.step()
		}
		more := r.accept(contoso, machines(t, 100, 1)...)
		if err := r.handle(r.collected(contoso, more...)); err != nil {
			t.Fatal(err)
		}
		r.want(contoso, more[0], device.Submitted, "")
		r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
		for _, at := range r.sim.Log(deleting) {
			n := 0
			for _, q := range r.sim.Log(deleting) {
				if since := q.Time.Sub(at.Time); since >= 0 && since < 20*time.Second {
					n++
				}
			}
			if n > 10 { // a full bucket of 5, and the 5 that flow in
				t.Fatalf("%d records were deleted within 20 s", n)
			}
		}
	})
}

// Records that nobody lets us delete are left alone in the end.
func TestCleanUpEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{timings: submission.Timings{CleanupEnd: time.Hour}})
		ids := r.accept(contoso, machines(t, 1, 2)...)
		r.fault(simulator.Fault{Operation: deleting, Effect: simulator.Reply, Status: 403, Times: -1})
		r.run(2*time.Hour, map[device.TenantID][]string{contoso: ids})
		r.want(contoso, ids[0], device.Registered, "")
		if n := len(r.records()); n != 2 {
			t.Errorf("%d records are left", n)
		}
	})
}

// The time for deleting begins when the outcomes are there, however long they took.
func TestCleanUpOfALongImport(t *testing.T) {
	for name, far := range map[string]func(*fixture, []string){
		"decided": func(r *fixture, ids []string) {
			r.run(72*time.Hour, map[device.TenantID][]string{contoso: ids})
			for _, id := range ids {
				r.want(contoso, id, device.Registered, "")
			}
		},
		"taken out": func(r *fixture, ids []string) {
			for end := time.Now().Add(30 * time.Hour); time.Now().Before(end); {
				r.step()
			}
			for _, id := range ids {
				d := r.want(contoso, id, device.Submitted, fault.AutopilotPending)
				m := ledger.Move{Tenant: contoso, Device: id, Version: d.Version, To: device.Dead, By: "operator:test"}
				if done, err := r.ledger.Move(r.ctx(), m); err != nil || !done[0] {
					r.Fatal(done, err)
				}
			}
			r.run(72*time.Hour, map[device.TenantID][]string{contoso: ids})
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := slow()
				o.Delays.Import = simulator.Delay{Min: 40 * time.Hour, Max: 40 * time.Hour}
				r := newFixture(t, t, knobs{sim: o})
				ids := r.accept(contoso, machines(t, 1, 30)...)
				// The first rounds are refused, which must not be the end.
				r.fault(simulator.Fault{Operation: deleting, Effect: simulator.Reply, Status: 403, Times: 50})
				far(r, ids)
				if n := len(r.records()); n != 0 {
					t.Errorf("%d records are left", n)
				}
			})
		})
	}
}

// A tenant that cannot be asked any more keeps its submissions no longer than that either.
func TestCleanUpEndsUnasked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{timings: submission.Timings{CleanupEnd: 2 * time.Hour}})
		ids := r.accept(contoso, machines(t, 1, 2)...)
		for !r.terminal(ids) {
			r.step()
		}
		r.fault(simulator.Fault{Operation: "imported.list", Effect: simulator.Reply, Status: 403, Times: -1})
		began := time.Now()
		r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
		if took := time.Since(began); took < 2*time.Hour {
			t.Errorf("left alone after %s", took)
		}
	})
}

// Items say which records are gone, for whoever reads the ledger.
func TestItemsKnowTheirRecords(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{})
		ids := r.accept(contoso, machines(t, 1, 3)...)
		r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
		sub, err := r.ledger.Submission(context.Background(), contoso, r.begun.all[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if sub.Code != fault.Code("") || len(sub.Items) != 3 {
			t.Errorf("submission %s with %d items", sub.Code, len(sub.Items))
		}
		for _, i := range sub.Items {
			if i.RecordID == "" || !i.Deleted {
				t.Errorf("item %+v", i)
			}
		}
	})
}
