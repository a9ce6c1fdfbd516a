package submission_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/importer/internal/submission"
)

// Whatever happens to the POST or its answer, each device gets there, and none is sent again without a look.
func TestUnknownOutcomes(t *testing.T) {
	tests := map[string]struct {
		fault   simulator.Fault
		arrives bool
		posts   int
	}{
		"reset after":      {simulator.Fault{Effect: simulator.ResetAfter}, true, 1},
		"reset before":     {simulator.Fault{Effect: simulator.ResetBefore}, false, 2},
		"500 after":        {simulator.Fault{Effect: simulator.ReplyAfter, Status: 500}, true, 1},
		"500":              {simulator.Fault{Effect: simulator.Reply, Status: 500}, false, 2},
		"503":              {simulator.Fault{Effect: simulator.Reply, Status: 503}, false, 2},
		"504 page":         {simulator.Fault{Effect: simulator.Page, Status: 504}, false, 2},
		"cut answer":       {simulator.Fault{Effect: simulator.Truncate}, true, 1},
		"cut JSON":         {simulator.Fault{Effect: simulator.Garbage}, true, 1},
		"silence":          {simulator.Fault{Effect: simulator.Hang}, false, 2},
		"three times":      {simulator.Fault{Effect: simulator.ResetBefore, Times: 3}, false, 4},
		"applied, and 429": {simulator.Fault{Effect: simulator.ReplyAfter, Status: 502}, true, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				ids := r.accept(contoso, machines(t, 1, 4)...)
				tt.fault.Operation = importing
				r.fault(tt.fault)
				r.step()
				for _, id := range ids {
					r.want(contoso, id, device.Submitting, "")
				}
				sub, err := r.ledger.Submission(t.Context(), contoso, r.begun.all[0].ID)
				if err != nil || sub.State != ledger.SubmissionOpen || sub.Code != fault.GraphUnknownOutcome {
					t.Errorf("submission: %s %s, %v", sub.State, sub.Code, err)
				}
				r.run(6*time.Hour, map[device.TenantID][]string{contoso: ids})
				for _, id := range ids {
					r.want(contoso, id, device.Registered, "")
				}
				if n := len(r.posts()); n != tt.posts {
					t.Errorf("%d POSTs, want %d", n, tt.posts)
				}
				first, err := r.ledger.Submission(t.Context(), contoso, sub.ID)
				if err != nil || (first.Code == fault.AutopilotLost) == tt.arrives {
					t.Errorf("the submission ended with %q, %v", first.Code, err)
				}
			})
		})
	}
}

// glass changes what the importer sees of Autopilot.
type glass struct {
	submission.Autopilot
	posted func([]autopilot.Imported) []autopilot.Imported
	listed func([]autopilot.Imported) []autopilot.Imported
	search func(device.Serial) error
	found  func([]autopilot.Identity) []autopilot.Identity
}

func (g glass) Import(ctx context.Context, devices []autopilot.ImportDevice, id string) ([]autopilot.Imported, error) {
	records, err := g.Autopilot.Import(ctx, devices, id)
	if err == nil && g.posted != nil {
		records = g.posted(records)
	}
	return records, err
}

func (g glass) Imported(ctx context.Context, w autopilot.Wanted) ([]autopilot.Imported, error) {
	records, err := g.Autopilot.Imported(ctx, w)
	if err == nil && g.listed != nil {
		records = g.listed(records)
	}
	return records, err
}

func (g glass) FindBySerial(ctx context.Context, s device.Serial) ([]autopilot.Identity, error) {
	if g.search != nil {
		if err := g.search(s); err != nil {
			return nil, err
		}
	}
	found, err := g.Autopilot.FindBySerial(ctx, s)
	if err == nil && g.found != nil {
		found = g.found(found)
	}
	return found, err
}

// through lets the fixture see Autopilot through a glass.
func (r *fixture) through(g glass) {
	connect := r.Connect
	r.Connect = func(id device.TenantID) (submission.Autopilot, error) {
		client, err := connect(id)
		g := g
		g.Autopilot = client
		return g, err
	}
}

// An import of which Autopilot took only a part is settled device by device.
func TestPartialApplication(t *testing.T) {
	for name, effect := range map[string]simulator.Effect{"answer lost": simulator.ResetAfter, "answer came": ""} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{})
				hashes := machines(t, 1, 4)
				ids := r.accept(contoso, hashes...)
				if effect != "" {
					r.fault(simulator.Fault{Operation: importing, Effect: effect})
				}
				missing := device.NewSerial(serial(t, hashes[2]))
				hide := func(records []autopilot.Imported) []autopilot.Imported {
					return slices.DeleteFunc(records, func(i autopilot.Imported) bool {
						return i.Serial == missing && i.ImportID == r.begun.all[0].ImportID
					})
				}
				r.through(glass{posted: hide, listed: hide})
				for r.device(contoso, ids[0]).State != device.Registered {
					r.step()
				}
				r.want(contoso, ids[2], device.Submitting, fault.GraphUnknownOutcome)
				first := r.begun.all[0]
				for r.device(contoso, ids[2]).State == device.Submitting {
					r.step()
				}
				d := r.want(contoso, ids[2], device.Collected, fault.AutopilotLost)
				if waited := d.Updated.Sub(first.Created); waited < r.Timings.Lost {
					t.Errorf("given up after %s", waited)
				}
				if d.Attempts != 1 {
					t.Errorf("%d attempts", d.Attempts)
				}
				for time.Now().Before(d.Due) {
					r.step()
				}
				for !r.terminal(ids) {
					r.step()
				}
				for i, id := range ids {
					// The simulator did get the device the first time: the second time it is 806, and found.
					r.want(contoso, id, device.Registered, "")
					want := 1
					if i == 2 {
						want = 2
					}
					if n := r.postsOf(hashes[i]); n != want {
						t.Errorf("device %d was posted %d times, want %d", i, n, want)
					}
				}
				if blind := simulator.BlindReposts(r.sim.Log()); len(blind) > 0 {
					t.Errorf("posted twice without a look: %+v", blind)
				}
			})
		})
	}
}

func (r *fixture) terminal(ids []string) bool {
	for _, id := range ids {
		if s := r.device(contoso, id).State; s == device.Collected || s == device.Submitting || s == device.Submitted {
			return false
		}
	}
	return true
}

// Records that vanish while the import runs are waited for: a listing can be incomplete, and people delete records by
// hand.
func TestRecordsVanish(t *testing.T) {
	for name, tt := range map[string]struct {
		gone  time.Duration
		posts int
	}{"for a moment": {4 * time.Minute, 1}, "for good": {48 * time.Hour, 2}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := slow()
				o.Delays.Import = simulator.Delay{Min: 20 * time.Minute, Max: 20 * time.Minute}
				r := newFixture(t, t, knobs{sim: o, timings: submission.Timings{PollMax: time.Minute}})
				ids := r.accept(contoso, machines(t, 1, 2)...)
				began := time.Now()
				r.through(glass{listed: func(records []autopilot.Imported) []autopilot.Imported {
					since := time.Since(began) - 8*time.Minute
					if since > 0 && since < tt.gone && len(records) > 0 &&
						records[0].ImportID == r.begun.all[0].ImportID {
						return nil
					}
					return records
				}})
				seen := false
				for !r.terminal(ids) {
					r.step()
					seen = seen || r.device(contoso, ids[0]).Code == fault.AutopilotLost
				}
				for _, id := range ids {
					r.want(contoso, id, device.Registered, "")
				}
				if n := len(r.posts()); n != tt.posts {
					t.Errorf("%d POSTs, want %d", n, tt.posts)
				}
				if !seen {
					t.Error("the device never showed that its record is missing")
				}
			})
		})
	}
}

// Two devices with one serial number, which only fillers of the firmware make possible, are never in one import.
func TestOneSerialTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		ids := r.accept(contoso, machine(t, 1, placeholder), machine(t, 4, placeholder), machine(t, 7))
		r.run(6*time.Hour, map[device.TenantID][]string{contoso: ids})
		registrations := map[string]bool{}
		for _, id := range ids {
			registrations[r.want(contoso, id, device.Registered, "").RegistrationID] = true
		}
		if len(registrations) != 3 {
			t.Errorf("%d registrations for 3 devices", len(registrations))
		}
		for _, p := range r.posts() {
			slices.Sort(p.Serials)
			if len(slices.Compact(p.Serials)) != len(p.Devices) {
				t.Errorf("a serial number is in an import twice")
			}
		}
	})
}

// Autopilot holds a second record of the device in the same import: whatever comes first, the device is what counts.
func TestTwinRecord(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		ids := r.accept(contoso, machines(t, 1, 3)...)
		r.through(glass{listed: func(records []autopilot.Imported) []autopilot.Imported {
			var all []autopilot.Imported
			for _, one := range records {
				twin := one
				twin.ID = "twin-of-" + one.ID
				twin.RegistrationID = ""
				twin.Status = autopilot.StatusError
				twin.ErrorName = "ZtdDeviceDuplicated"
				all = append(all, twin, one)
			}
			return all
		}})
		for !r.terminal(ids) {
			r.step()
		}
		for _, id := range ids {
			r.want(contoso, id, device.Registered, "")
		}
		if n := len(r.posts()); n != 1 {
			t.Errorf("%d POSTs", n)
		}
	})
}

// An import that takes very long is shown and counted, and never given up.
func TestStuckIsNotFailed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := slow()
		o.Delays.Import = simulator.Delay{Min: 4 * time.Hour, Max: 4 * time.Hour}
		r := newFixture(t, t, knobs{sim: o})
		ids := r.accept(contoso, machines(t, 1, 1)...)
		for end := time.Now().Add(2 * time.Hour); time.Now().Before(end); {
			r.step()
		}
		r.want(contoso, ids[0], device.Submitted, fault.AutopilotPending)
		if n := r.counted(t, "taxiway_importer_stuck_total", ""); n < 5 {
			t.Errorf("stuck counted %v times", n)
		}
		r.run(8*time.Hour, map[device.TenantID][]string{contoso: ids})
		r.want(contoso, ids[0], device.Registered, "")
	})
}
