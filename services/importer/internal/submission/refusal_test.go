package submission_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/budget"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/importer/internal/submission"
)

const importing = "imported.import"

func machines(tb tb, from, n uint64) []hwhash.Hash {
	tb.Helper()
	var all []hwhash.Hash
	for seed := range n {
		all = append(all, machine(tb, from+seed))
	}
	return all
}

// What is wrong with the tenant costs its devices nothing but time, and other tenants nothing at all.
func TestATenantThatRefusesWaits(t *testing.T) {
	refuse := func(status, times int) func(*fixture) {
		return func(r *fixture) {
			r.fault(
				simulator.Fault{
					Operation: importing,
					Tenant:    entra[contoso],
					Effect:    simulator.Reply,
					Status:    status,
					Times:     times,
				},
			)
		}
	}
	tests := map[string]struct {
		prepare func(*fixture)
		code    fault.Code
		pause   time.Duration
		posts   int // that the import got to be sent
	}{
		"403":                             {refuse(403, 1), fault.TenantPermissionMissing, 5 * time.Minute, 2},
		"401, with a fresh token as well": {refuse(401, 2), fault.TenantCredentialsRefused, 5 * time.Minute, 3},
		"404":                             {refuse(404, 1), fault.GraphNotFound, 5 * time.Minute, 2},
		"approval": {func(r *fixture) {
			if err := r.sim.SetApproval(entra[contoso], simulator.ApprovalWrites); err != nil {
				r.Fatal(err)
			}
			time.AfterFunc(time.Minute, func() { _ = r.sim.SetApproval(entra[contoso], simulator.ApprovalOff) })
		}, fault.GraphApprovalRequired, 5 * time.Minute, 2},
		"no token": {func(r *fixture) {
			r.fault(
				simulator.Fault{
					Operation: "token",
					Tenant:    entra[contoso],
					Effect:    simulator.Reply,
					Status:    401,
					Code:      "invalid_client",
				},
			)
		}, fault.TenantCredentialsRefused, 5 * time.Minute, 1},
		"429 with a time": {func(r *fixture) {
			r.fault(simulator.Fault{
				Operation: importing, Tenant: entra[contoso], Effect: simulator.Reply, Status: 429, RetryAfter: "42.5",
			})
		}, fault.GraphThrottled, 42500 * time.Millisecond, 2},
		"429 without a time": {func(r *fixture) {
			r.fault(simulator.Fault{Operation: importing, Tenant: entra[contoso], Effect: simulator.Reply, Status: 429})
		}, fault.GraphThrottled, 10 * time.Second, 2},
		"the gate is shut": {func(r *fixture) {
			if err := r.ledger.Shut(r.ctx(), contoso, time.Now().Add(30*time.Second), fault.GraphThrottled); err != nil {
				r.Fatal(err)
			}
		}, fault.GraphThrottled, 30 * time.Second, 1},
		"the budget is used up": {func(r *fixture) {
			if wait, err := r.ledger.Take(r.ctx(), contoso, "graph.write", 60, budget.Rate{Limit: 60, Window: 23 * time.Second}, time.Now()); err != nil ||
				wait > 0 {
				r.Fatal(wait, err)
			}
		}, fault.GraphThrottled, 3300 * time.Millisecond, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				ours := r.accept(contoso, machines(t, 1, 3)...)
				theirs := r.accept(fabrikam, machines(t, 10, 2)...)
				tt.prepare(r)
				began := time.Now()
				if err := errors.Join(r.handle(r.collected(contoso, ours...)), r.handle(r.collected(fabrikam, theirs...))); err != nil {
					t.Fatal(err)
				}
				for _, id := range ours {
					d := r.want(contoso, id, device.Collected, tt.code)
					if d.Attempts != 0 {
						t.Errorf("it cost %d attempts", d.Attempts)
					}
					if wait := d.Due.Sub(began); wait < tt.pause || wait > tt.pause*5/4 {
						t.Errorf("due in %s, want %s and a little", wait, tt.pause)
					}
				}
				for _, id := range theirs {
					r.want(fabrikam, id, device.Submitted, "")
				}
				all := map[device.TenantID][]string{contoso: ours, fabrikam: theirs}
				r.run(time.Hour, all)
				for _, id := range ours {
					if d := r.want(contoso, id, device.Registered, ""); d.Attempts != 0 {
						t.Errorf("%d attempts", d.Attempts)
					}
				}
				sent := 0
				for _, p := range r.posts() {
					if p.Tenant == entra[contoso] {
						sent++
					}
				}
				if sent != tt.posts {
					t.Errorf("%d import calls, want %d", sent, tt.posts)
				}
			})
		})
	}
}

func (r *fixture) ctx() context.Context { return context.Background() }

// picky refuses imports that hold one of the serial numbers, as a service does that meets something it cannot stand.
type picky struct {
	submission.Autopilot
	poison map[device.Serial]bool
	sizes  *[]int
}

func (p picky) Import(ctx context.Context, devices []autopilot.ImportDevice, id string) ([]autopilot.Imported, error) {
	*p.sizes = append(*p.sizes, len(devices))
	for _, d := range devices {
		if p.poison[d.Serial] {
			return nil, fault.New(fault.GraphBadRequest, "HTTP 400 BadRequest")
		}
	}
	return p.Autopilot.Import(ctx, devices, id)
}

func TestPoisonIsIsolated(t *testing.T) {
	for _, tt := range []struct {
		n      uint64
		poison []int
		calls  int // at most
	}{
		{1, []int{0}, 1},
		{2, []int{1}, 3},
		{3, []int{0}, 5},
		{20, []int{13}, 11},
		{20, []int{0, 19}, 20},
		{5, []int{0, 1, 2, 3, 4}, 11},
		{100, []int{50}, 16},
	} {
		t.Run(fmt.Sprint(tt.n, tt.poison), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{})
				hashes := machines(t, 1, tt.n)
				ids := r.accept(contoso, hashes...)
				poison := map[device.Serial]bool{}
				sizes := []int{}
				for _, i := range tt.poison {
					poison[r.device(contoso, ids[i]).Serial] = true
				}
				connect := r.Connect
				r.Connect = func(id device.TenantID) (submission.Autopilot, error) {
					client, err := connect(id)
					return picky{client, poison, &sizes}, err
				}
				r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
				for _, id := range ids {
					d := r.device(contoso, id)
					if poison[d.Serial] {
						r.want(contoso, id, device.Dead, fault.GraphBadRequest)
					} else {
						r.want(contoso, id, device.Registered, "")
					}
				}
				if len(sizes) > tt.calls {
					t.Errorf("%d import calls, want at most %d: %v", len(sizes), tt.calls, sizes)
				}
			})
		})
	}
}

func TestUnknownTenant(t *testing.T) {
	bubble(t, func(t *testing.T) {
		path := t.TempDir() + "/ledger.db"
		r := newFixture(t, t, knobs{path: path, tenants: configured(fabrikam)})
		ids := r.accept(contoso, machines(t, 1, 2)...)
		r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
		for _, id := range ids {
			r.want(contoso, id, device.Dead, fault.TenantUnknown)
		}
		deadLetters, err := r.ledger.DeadLetters(t.Context(), ledger.DeadLetterQuery{All: true})
		if err != nil || len(deadLetters) != 2 {
			t.Fatalf("%d dead letters, %v", len(deadLetters), err)
		}
		// The tenant is configured after all.
		again := newFixture(t, t, knobs{path: path})
		again.accepted[contoso] = ids
		for _, l := range deadLetters {
			if _, err := again.ledger.Revive(t.Context(), l.ID, time.Now(), "operator:test"); err != nil {
				t.Fatal(err)
			}
		}
		again.run(time.Hour, map[device.TenantID][]string{contoso: ids})
		for _, id := range ids {
			again.want(contoso, id, device.Registered, "")
		}
	})
}

// A tenant that is taken out of the configuration while its imports run keeps them: they go on when it is back.
func TestTenantVanishesInFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		path := t.TempDir() + "/ledger.db"
		r := newFixture(t, t, knobs{path: path, sim: slow()})
		ids := r.accept(contoso, machines(t, 1, 2)...)
		all := map[device.TenantID][]string{contoso: ids}
		r.step()
		r.want(contoso, ids[0], device.Submitted, "")
		connect := r.Connect
		known := r.Tenants
		nobody, err := tenant.NewDirectory()
		if err != nil {
			t.Fatal(err)
		}
		r.Tenants = nobody
		r.Connect = func(id device.TenantID) (submission.Autopilot, error) { _, err := nobody.Get(id); return nil, err }
		for end := time.Now().Add(time.Hour); time.Now().Before(end); {
			r.step()
		}
		r.want(contoso, ids[0], device.Submitted, fault.TenantUnknown)
		r.Connect = connect
		r.Tenants = known
		r.run(time.Hour, all)
		for i, id := range ids {
			r.want(contoso, id, device.Registered, "")
			if n := r.postsOf(machine(t, uint64(i+1))); n != 1 {
				t.Errorf("posted %d times", n)
			}
		}
	})
}

// forgetful has lost some captures.
type forgetful struct {
	submission.Ledger
	lost, broken string
}

func (f forgetful) Captures(ctx context.Context, id device.TenantID, ids []string) (map[string][]byte, error) {
	all, err := f.Ledger.Captures(ctx, id, ids)
	delete(all, f.lost)
	if raw, ok := all[f.broken]; ok {
		all[f.broken] = raw[:len(raw)/2]
	}
	return all, err
}

func TestCapturesThatCannotBeSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{})
		ids := r.accept(contoso, machines(t, 1, 3)...)
		r.Ledger = forgetful{r.Ledger, ids[0], ids[1]}
		r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
		r.want(contoso, ids[0], device.Dead, fault.DeviceCaptureErased)
		r.want(contoso, ids[1], device.Dead, fault.HashMalformed)
		r.want(contoso, ids[2], device.Registered, "")
	})
}
