package submission_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/services/importer/internal/submission"
)

// Whatever the service does with import ids, each device is sent once and registered, the records are deleted, and an
// answer that is lost costs no second POST.
func TestHandles(t *testing.T) {
	for habit, q := range habits {
		for name, effect := range map[string]simulator.Effect{"": "", ", answer lost": simulator.ResetAfter} {
			t.Run(habit+name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					k := knobs{sim: slow()}
					r := newFixture(t, t, k.with(q))
					hashes := machines(t, 1, 8)
					ids := r.accept(contoso, hashes...)
					if effect != "" {
						r.fault(simulator.Fault{Operation: importing, Effect: effect})
					}
					r.run(6*time.Hour, map[device.TenantID][]string{contoso: ids})
					for i, id := range ids {
						r.want(contoso, id, device.Registered, "")
						if n := r.postsOf(hashes[i]); n != 1 {
							t.Errorf("device %d was sent %d times", i, n)
						}
					}
					// Records that only a serial number speaks for may be another's, and stay.
					unsure := q.ImportIDReplaced && effect != ""
					if left := len(r.records()); (left > 0) != unsure {
						t.Errorf("%d import records are left", left)
					}
				})
			})
		}
	}
}

// Where all records have to be listed, polls that are due together share one list.
func TestListsAreShared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		tenants := configured(contoso)
		tenants[0].Limits.ImportSize = 1
		k := knobs{tenants: tenants, sim: simulator.Options{Seed: 1, Delays: simulator.Delays{
			Import: simulator.Delay{Min: 30 * time.Second, Max: 30 * time.Second},
		}}}
		r := newFixture(t, t, k.with(simulator.Quirks{ImportIDReplaced: true}))
		ids := r.accept(contoso, machines(t, 1, 10)...)
		for !r.terminal(ids) {
			r.step()
		}
		if polls := r.counted(t, "taxiway_importer_polls_total", ""); polls < 20 {
			t.Fatalf("%v polls", polls)
		}
		lists := len(r.sim.Log("imported.list"))
		if lists > 10 {
			t.Errorf("%d lists for 10 imports", lists)
		}
	})
}

// A record of a device's serial number that another tool left decides nothing: neither that the device is dead, nor
// that it was sent.
func TestStraysDecideNothing(t *testing.T) {
	for name, o := range map[string]simulator.Outcome{
		"an error":        {Name: "InvalidZtdHardwareHash", Code: 802},
		"never gets done": {Polls: 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				k := knobs{sim: slow(), timings: submission.Timings{Invisible: 30 * time.Minute}}
				r := newFixture(t, t, k.with(simulator.Quirks{ImportIDReplaced: true}))
				h := machine(t, 1)
				r.outcome(h, 1, o)
				foreign := r.stray(h)
				r.fault(simulator.Fault{Operation: importing, Effect: simulator.ResetBefore})
				ids := r.accept(contoso, h)
				r.run(6*time.Hour, map[device.TenantID][]string{contoso: ids})
				r.want(contoso, ids[0], device.Registered, "")
				left := r.records()
				if len(left) != 1 || left[0] != foreign {
					t.Errorf("records %v are left, %s is another's", left, foreign)
				}
			})
		})
	}
}

// stray imports a device as another tool would, and returns the id of its record.
func (r *fixture) stray(h hwhash.Hash) string {
	r.Helper()
	client, err := r.graph.For(contoso)
	if err != nil {
		r.Fatal(err)
	}
	one := autopilot.ImportDevice{Serial: device.NewSerial(serial(r, h)), Hash: h}
	records, err := client.Import(context.Background(), []autopilot.ImportDevice{one}, uuid.NewString())
	if err != nil || len(records) != 1 {
		r.Fatalf("%d records, %v", len(records), err)
	}
	// It looks what became of it, and is content.
	if _, err := client.Imported(context.Background(), autopilot.Wanted{IDs: []string{records[0].ID}}); err != nil {
		r.Fatal(err)
	}
	return records[0].ID
}

// A device that is said to be registered and does not show is synchronised for, and imported again, before it is dead.
func TestGhostIsImportedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		times int
		state device.State
		code  fault.Code
	}{
		"the first time only": {1, device.Registered, ""},
		"every time":          {-1, device.Dead, fault.AutopilotGhost},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				hashes := machines(t, 1, 2)
				for _, h := range hashes {
					r.outcome(h, tt.times, simulator.Outcome{Name: "ZtdDeviceAlreadyAssigned", Code: 806})
				}
				ids := r.accept(contoso, hashes...)
				r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
				for i, id := range ids {
					r.want(contoso, id, tt.state, tt.code)
					if n := r.postsOf(hashes[i]); n != 2 {
						t.Errorf("sent %d times", n)
					}
				}
				syncs := r.sim.Log("settings.sync")
				if len(syncs) == 0 {
					t.Fatal("nobody synchronised the tenant")
				}
				for i, s := range syncs[1:] {
					if pause := s.Time.Sub(syncs[i].Time); pause < autopilot.SyncPause {
						t.Errorf("synchronised again after %s", pause)
					}
				}
			})
		})
	}
}
