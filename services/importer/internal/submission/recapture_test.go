package submission_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/importer/internal/submission"
)

// recapture takes in a newer capture of a device that the ledger has.
func (r *fixture) recapture(id device.TenantID, deviceID string, seed uint64, change ...func(*hwhash.Report)) {
	r.Helper()
	later := func(x *hwhash.Report) { x.Tool.CapturedAt = x.Tool.CapturedAt.Add(time.Hour) }
	h := machine(r, seed, append(change, later)...)
	s, err := hwhash.Summarize(h)
	if err != nil {
		r.Fatal(err)
	}
	c, err := device.CandidateOf(device.CaptureOf(s))
	if err != nil {
		r.Fatal(err)
	}
	b := ledger.Batch{
		ID: uuid.Must(uuid.NewV7()).String(), Tenant: id, Source: "oem", State: ledger.Receiving, Created: time.Now(),
	}
	if _, _, err := r.ledger.OpenBatch(r.ctx(), b); err != nil {
		r.Fatal(err)
	}
	row := intake.Candidate{Candidate: c, Row: 1, Canonical: h.Canonical()}
	receipts, err := r.ledger.Accept(r.ctx(), b, []intake.Candidate{row}, ledger.Terms{Due: time.Now()})
	if err != nil {
		r.Fatal(err)
	}
	if d := r.device(id, deviceID); receipts[0].Device != deviceID || !d.CapturedAt.Equal(s.CapturedAt) {
		r.Fatalf("%s %s is not a newer capture of the device", receipts[0].Outcome, receipts[0].Code)
	}
}

// A newer capture comes while an import runs, and with it another serial number: a real one for a placeholder, or a
// placeholder that replaces nothing. The device that was sent is still the same.
func TestRecaptureInFlight(t *testing.T) {
	tests := map[string]struct {
		first, second []func(*hwhash.Report) // the two devices as they are sent
		recapture     []func(*hwhash.Report) // of the second
	}{
		"a placeholder is corrected":      {nil, []func(*hwhash.Report){placeholder}, nil},
		"to a placeholder":                {nil, nil, []func(*hwhash.Report){placeholder}},
		"to the placeholder of the other": {[]func(*hwhash.Report){placeholder}, nil, []func(*hwhash.Report){placeholder}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				sent := []hwhash.Hash{machine(t, 1, tt.first...), machine(t, 2, tt.second...)}
				ids := r.accept(contoso, sent...)
				r.step()
				r.recapture(contoso, ids[1], 2, tt.recapture...)
				r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
				if n := len(r.posts()); n != 1 {
					t.Errorf("%d POSTs", n)
				}
				r.registeredAs(t, ids, sent)
			})
		})
	}
}

// registeredAs checks that each device has the registration of what was sent for it.
func (r *fixture) registeredAs(t *testing.T, ids []string, sent []hwhash.Hash) {
	t.Helper()
	state := r.state(contoso)
	for i, id := range ids {
		d := r.want(contoso, id, device.Registered, "")
		at := slices.IndexFunc(
			state.Identities,
			func(s simulator.IdentityState) bool { return s.ID == d.RegistrationID },
		)
		if at < 0 || state.Identities[at].Serial != serial(t, sent[i]) {
			t.Errorf("device %d has the registration of another device, or none", i)
		}
	}
}

// The answer to the POST was lost as well, so that no record is known: what is left over belongs together.
func TestRecaptureAfterAnUnknownOutcome(t *testing.T) {
	for name, n := range map[string]uint64{"alone": 1, "among others": 4} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				r.fault(simulator.Fault{Operation: importing, Effect: simulator.ResetAfter})
				sent := machines(t, 1, n)
				ids := r.accept(contoso, sent...)
				r.step()
				r.recapture(contoso, ids[0], 1, placeholder)
				r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
				if n := len(r.posts()); n != 1 {
					t.Errorf("%d POSTs", n)
				}
				r.registeredAs(t, ids, sent)
			})
		})
	}
}

// Without known records and with one serial number for two, nobody can tell whose record it is: nobody gets it.
func TestRecaptureThatCannotBeTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		r.fault(simulator.Fault{Operation: importing, Effect: simulator.ResetAfter})
		ids := r.accept(contoso, machine(t, 1, placeholder), machine(t, 2))
		r.step()
		r.recapture(contoso, ids[1], 2, placeholder)
		r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
		a := r.device(contoso, ids[0])
		b := r.device(contoso, ids[1])
		if a.RegistrationID != "" && a.RegistrationID == b.RegistrationID {
			t.Error("two devices have one registration")
		}
	})
}

// A search asks for the serial number that was sent, which is the one that Autopilot answered about.
func TestRecaptureAlreadyHere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		h := machine(t, 1)
		if _, err := r.sim.SeedRegistered(entra[contoso], simulator.Registered{Hardware: hardware(h)}); err != nil {
			t.Fatal(err)
		}
		ids := r.accept(contoso, h)
		r.step()
		r.recapture(contoso, ids[0], 1, placeholder)
		r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
		r.registeredAs(t, ids, []hwhash.Hash{h})
	})
}

// interrupted has something happen just before a submission begins.
type interrupted struct {
	submission.Ledger
	by func()
}

func (i interrupted) Begin(
	ctx context.Context,
	s ledger.Submission,
	refs []ledger.Ref,
	by string,
) ([]device.Device, error) {
	i.by()
	return i.Ledger.Begin(ctx, s, refs, by)
}

// The answer to the POST is read by the serial numbers that stood in it.
func TestRecaptureWhileSending(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		sent := machines(t, 1, 2)
		ids := r.accept(contoso, sent...)
		r.Ledger = interrupted{r.Ledger, func() { r.recapture(contoso, ids[0], 1, placeholder) }}
		if err := r.Submit(t.Context(), r.collected(contoso, ids...)); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			r.want(contoso, id, device.Submitted, "")
		}
		r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
		r.registeredAs(t, ids, sent)
	})
}
