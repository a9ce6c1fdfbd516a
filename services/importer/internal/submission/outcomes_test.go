package submission_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/services/importer/internal/submission"
)

// hardware is what the simulator seeds a device with.
func hardware(h hwhash.Hash) simulator.Hardware {
	return simulator.Hardware{Hash: h.Wire()}
}

// outcomes makes every import of the device end so.
func (r *fixture) outcome(h hwhash.Hash, times int, o simulator.Outcome) {
	r.Helper()
	r.fault(simulator.Fault{Effect: simulator.Import, Serial: serial(r, h), Times: times, Outcome: &o})
}

// One device with the outcome under test, between two that are well.
func TestEachOutcome(t *testing.T) {
	always := -1
	plan := func(times int, name string, code int) func(*fixture, hwhash.Hash) {
		return func(r *fixture, h hwhash.Hash) { r.outcome(h, times, simulator.Outcome{Name: name, Code: code}) }
	}
	tests := map[string]struct {
		prepare func(*fixture, hwhash.Hash)
		state   device.State
		code    fault.Code
		detail  string
		posts   int // of the device under test
	}{
		"registered": {func(*fixture, hwhash.Hash) {}, device.Registered, "", "", 1},
		"in flight under every name": {func(r *fixture, h hwhash.Hash) {
			r.outcome(
				h,
				always,
				simulator.Outcome{
					Polls:   5,
					Waiting: []string{"unknown", "pending", "partial", "somethingNew", "pending"},
				},
			)
		}, device.Registered, "", "", 1},
		"already registered here": {func(r *fixture, h hwhash.Hash) {
			if _, err := r.sim.SeedRegistered(entra[contoso], simulator.Registered{Hardware: hardware(h)}); err != nil {
				r.Fatal(err)
			}
		}, device.Registered, "", "", 1},
		"already registered here and invisible": {
			plan(always, "ZtdDeviceAlreadyAssigned", 806),
			device.Dead, fault.AutopilotGhost, "did not show it for 2h", 2,
		},
		"registered elsewhere": {func(r *fixture, h hwhash.Hash) {
			if err := r.sim.SeedOwnedByOther(hardware(h)); err != nil {
				r.Fatal(err)
			}
		}, device.Held, fault.AutopilotOtherTenant, "ZtdDeviceAssignedToOtherTenant", 1},
		"registered elsewhere, other spelling": {
			plan(always, "ZtdDeviceAssignedToAnotherTenant", 808),
			device.Held, fault.AutopilotOtherTenant, "808", 1,
		},
		"storage error, then well":       {plan(2, "StorageError", 640), device.Registered, "", "", 3},
		"storage error for good":         {plan(always, "StorageError", 640), device.Dead, fault.DeviceAttemptsUsedUp, "autopilot.storage_error", 6},
		"invalid hash":                   {plan(always, "InvalidZtdHardwareHash", 802), device.Dead, fault.AutopilotInvalidHash, "802", 1},
		"hash of the wrong size":         {plan(always, "HashNot4k", 0), device.Dead, fault.AutopilotInvalidHash, "HashNot4k", 1},
		"no serial and no product key":   {plan(always, "MissingZtdSerialNumberAndProductKey", 803), device.Dead, fault.AutopilotMissingSerial, "803", 1},
		"invalid body, then well":        {plan(1, "InvalidZtdRequestBody", 801), device.Registered, "", "", 2},
		"unknown, then well":             {plan(2, "ZtdSurprise", 999), device.Registered, "", "", 3},
		"invalid body":                   {plan(always, "InvalidZtdRequestBody", 801), device.Dead, fault.AutopilotInvalidBody, "801", 3},
		"not registered":                 {plan(always, "ZtdDeviceIsNotRegistered", 807), device.Dead, fault.AutopilotNotRegistered, "807", 1},
		"hardware not found":             {plan(always, "ZtdDeviceNotFound", 812), device.Dead, fault.AutopilotNotFound, "812", 1},
		"not unique":                     {plan(always, "ZtdDeviceIsNotUnique", 813), device.Dead, fault.AutopilotNotUnique, "813", 1},
		"Entra device in the way":        {plan(always, "ZtdDeviceAlreadyAadRegistered", 814), device.Dead, fault.AutopilotEntraRegistered, "814", 1},
		"nobody has documented it":       {plan(always, "ZtdSurprise", 999), device.Dead, fault.AutopilotUnknown, `"ZtdSurprise" (999)`, 3},
		"a code without a name":          {plan(always, " ", 4711), device.Dead, fault.AutopilotUnknown, "4711", 3},
		"a twin that never shows up":     {plan(1, "ZtdDeviceDuplicated", 0), device.Registered, "", "", 2},
		"a twin that never is":           {plan(always, "ZtdDeviceDuplicated", 0), device.Dead, fault.DeviceAttemptsUsedUp, "autopilot.duplicated_in_upload", 6},
		"registered by somebody else":    {plan(always, "ZtdDeviceRegisteredByOtherTenant", 811), device.Held, fault.AutopilotOtherTenant, "811", 1},
		"a profile is no import outcome": {plan(always, "ZtdDeviceHasNoAssignedProfile", 815), device.Dead, fault.AutopilotUnknown, "815", 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				left := machine(t, 1)
				odd := machine(t, 2)
				right := machine(t, 3)
				tt.prepare(r, odd)
				ids := r.accept(contoso, left, odd, right)
				r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})

				r.want(contoso, ids[0], device.Registered, "")
				r.want(contoso, ids[2], device.Registered, "")
				d := r.want(contoso, ids[1], tt.state, tt.code)
				if !strings.Contains(d.Detail, tt.detail) {
					t.Errorf("detail %q does not say %q", d.Detail, tt.detail)
				}
				if tt.state == device.Registered && d.Attempts != 0 {
					t.Errorf("%d attempts are carried over to the next stage", d.Attempts)
				}
				if strings.Contains(d.Detail, d.Serial.Reveal()) {
					t.Errorf("the detail holds the serial number")
				}
				if n := r.postsOf(odd); n != tt.posts {
					t.Errorf("posted %d times, want %d", n, tt.posts)
				}
				if got := slices.Contains(r.announced(), ids[1]); got != (tt.state == device.Registered) {
					t.Errorf("announced: %v", got)
				}
				if left := len(r.state(contoso).Imported); left > 0 {
					t.Errorf("%d import records are left", left)
				}
			})
		})
	}
}

// postsOf counts how often a device was POSTed.
func (r *fixture) postsOf(h hwhash.Hash) int {
	r.Helper()
	n := 0
	for _, p := range r.posts() {
		if slices.Contains(p.Serials, serial(r, h)) {
			n++
		}
	}
	return n
}

// A device that is registered here is recognised by serial number and manufacturer, and by the model when it must be.
func TestAlreadyHereIsCompared(t *testing.T) {
	other := func(change func(*simulator.Hardware)) func(hw simulator.Hardware) simulator.Hardware {
		return func(hw simulator.Hardware) simulator.Hardware {
			hw.EKHash = strings.Repeat("ab", 32)
			hw.UUID = ""
			change(&hw)
			return hw
		}
	}
	tests := map[string]struct {
		seeds []func(simulator.Hardware) simulator.Hardware
		state device.State
		code  fault.Code
	}{
		"another manufacturer": {[]func(simulator.Hardware) simulator.Hardware{
			other(func(hw *simulator.Hardware) { hw.Manufacturer = "Woodgrove" }),
		}, device.Dead, fault.AutopilotGhost},
		"a longer serial": {[]func(simulator.Hardware) simulator.Hardware{
			other(func(hw *simulator.Hardware) { hw.Serial = "X" + hw.Serial }),
		}, device.Dead, fault.AutopilotGhost},
		"another case": {[]func(simulator.Hardware) simulator.Hardware{
			other(func(hw *simulator.Hardware) {
				hw.Serial = strings.ToLower(hw.Serial)
				hw.Manufacturer = strings.ToUpper(hw.Manufacturer)
			}),
		}, device.Registered, ""},
		"told apart by model": {[]func(simulator.Hardware) simulator.Hardware{
			other(func(hw *simulator.Hardware) { hw.Model = "Something else" }),
			other(func(hw *simulator.Hardware) { hw.EKHash = strings.Repeat("cd", 32) }),
		}, device.Registered, ""},
		"two of them": {[]func(simulator.Hardware) simulator.Hardware{
			other(func(*simulator.Hardware) {}),
			other(func(hw *simulator.Hardware) { hw.EKHash = strings.Repeat("cd", 32) }),
		}, device.Dead, fault.AutopilotNotUnique},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				h := machine(t, 3)
				s, err := hwhash.Summarize(h)
				if err != nil {
					t.Fatal(err)
				}
				for _, change := range tt.seeds {
					hw := change(
						simulator.Hardware{Serial: s.RevealSerial(), Manufacturer: s.Manufacturer, Model: s.Product},
					)
					if _, err := r.sim.SeedRegistered(entra[contoso], simulator.Registered{Hardware: hw}); err != nil {
						t.Fatal(err)
					}
				}
				r.outcome(h, -1, simulator.Outcome{Name: "ZtdDeviceAlreadyAssigned", Code: 806})
				ids := r.accept(contoso, h)
				r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
				d := r.want(contoso, ids[0], tt.state, tt.code)
				if (d.RegistrationID != "") != (tt.state == device.Registered) {
					t.Errorf("registration id %q", d.RegistrationID)
				}
			})
		})
	}
}

// Many devices have the serial number that firmware ships with: one of them that is registered is not the one looked
// for.
func TestAFillerIsNoProof(t *testing.T) {
	for name, o := range map[string]simulator.Outcome{
		"already here":          {Name: "ZtdDeviceAlreadyAssigned", Code: 806},
		"twin":                  {Name: "ZtdDeviceDuplicated"},
		"registered without id": {},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				like := hwhash.Synthetic(1)
				other := r.accept(contoso, machine(t, 1, placeholder))
				r.run(24*time.Hour, map[device.TenantID][]string{contoso: other})
				registered := r.want(contoso, other[0], device.Registered, "")
				h := machine(t, 2, placeholder, func(x *hwhash.Report) {
					x.Manufacturer = like.Manufacturer
					x.Product = like.Product
				})
				if o.Name != "" {
					r.outcome(h, -1, o)
				} else {
					// Its own identity is not shown yet.
					r.through(glass{listed: nameless, found: func(all []autopilot.Identity) []autopilot.Identity {
						return slices.DeleteFunc(all, func(i autopilot.Identity) bool { return i.ID != registered.RegistrationID })
					}})
				}
				ids := r.accept(contoso, h)
				r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
				if d := r.want(contoso, ids[0], device.Dead, fault.AutopilotNotUnique); d.RegistrationID != "" {
					t.Error("two devices have one registration")
				}
			})
		})
	}
}

// nameless are the records without saying what was registered.
func nameless(records []autopilot.Imported) []autopilot.Imported {
	for i := range records {
		records[i].RegistrationID = ""
	}
	return records
}

// Many devices that are already here cost a bounded number of searches in one look, and are all found in the end.
func TestSearchesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{timings: submission.Timings{MaxLookups: 4}})
		var hashes []hwhash.Hash
		for seed := range uint64(10) {
			h := machine(t, seed+1)
			if _, err := r.sim.SeedRegistered(entra[contoso], simulator.Registered{Hardware: hardware(h)}); err != nil {
				t.Fatal(err)
			}
			hashes = append(hashes, h)
		}
		ids := r.accept(contoso, hashes...)
		before := 0
		for !r.finished(map[device.TenantID][]string{contoso: ids}) {
			r.step()
			searches := len(r.sim.Log("identities.list"))
			if searches-before > 4 {
				t.Fatalf("%d searches in one look", searches-before)
			}
			before = searches
		}
		for _, id := range ids {
			r.want(contoso, id, device.Registered, "")
		}
	})
}

// Devices that cannot be found, or searched for, do not keep others from being found.
func TestSearchesTakeTurns(t *testing.T) {
	refusal := &graph.Error{Status: 400, Code: "BadRequest"}
	for name, tt := range map[string]struct {
		fails error
		code  fault.Code
	}{
		"not found":            {nil, fault.AutopilotGhost},
		"cannot be searched":   {fault.Wrap(refusal, fault.GraphBadRequest, "HTTP 400"), fault.GraphBadRequest},
		"cannot be read":       {fault.New(fault.GraphUnexpected, "the answer cannot be read"), fault.AutopilotGhost},
		"the service is tired": {fault.New(fault.GraphUnavailable, "HTTP 503"), fault.AutopilotGhost},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{timings: submission.Timings{MaxLookups: 3, Invisible: 10 * time.Minute}})
				hashes := machines(t, 1, 12)
				ghosts := map[device.Serial]bool{}
				for i, h := range hashes {
					r.outcome(h, -1, simulator.Outcome{Name: "ZtdDeviceAlreadyAssigned", Code: 806})
					if i != 7 {
						ghosts[device.NewSerial(serial(t, h))] = true
						continue
					}
					if _, err := r.sim.SeedRegistered(entra[contoso], simulator.Registered{Hardware: hardware(h)}); err != nil {
						t.Fatal(err)
					}
				}
				ids := r.accept(contoso, hashes...)
				until := time.Now().Add(5 * time.Minute)
				r.through(glass{search: func(s device.Serial) error {
					if passes := tt.code == fault.AutopilotGhost; passes && time.Now().After(until) || !ghosts[s] {
						return nil
					}
					return tt.fails
				}})
				for r.device(contoso, ids[7]).State != device.Registered {
					if time.Now().After(until.Add(5 * time.Minute)) {
						t.Fatal("not found within its limit")
					}
					r.step()
				}
				r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
				for i, id := range ids {
					if i != 7 {
						r.want(contoso, id, device.Dead, tt.code)
					}
				}
			})
		})
	}
}

// Nobody was able to look: that is no proof that the device is not there, however long it lasts.
func TestSearchesThatFail(t *testing.T) {
	for name, f := range map[string]simulator.Fault{
		"cut JSON":            {Effect: simulator.Garbage},
		"another 4xx":         {Effect: simulator.Reply, Status: 415},
		"a page of a gateway": {Effect: simulator.Page, Status: 418},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFixture(t, t, knobs{sim: slow()})
				h := machine(t, 1)
				if _, err := r.sim.SeedRegistered(entra[contoso], simulator.Registered{Hardware: hardware(h)}); err != nil {
					t.Fatal(err)
				}
				f.Operation = "identities.list"
				f.Times = -1
				planned, err := r.sim.AddFault(f)
				if err != nil {
					t.Fatal(err)
				}
				ids := r.accept(contoso, h)
				for end := time.Now().Add(3 * r.Timings.Invisible); time.Now().Before(end); {
					r.step()
				}
				r.want(contoso, ids[0], device.Submitted, fault.AutopilotAlreadyHere)
				r.sim.RemoveFault(planned)
				r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
				r.want(contoso, ids[0], device.Registered, "")
			})
		})
	}
}

// A search that the service refuses ends the wait, and is not called a look.
func TestSearchesThatAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{sim: slow()})
		h := machine(t, 1)
		twin := machine(t, 2)
		r.outcome(h, -1, simulator.Outcome{Name: "ZtdDeviceAlreadyAssigned", Code: 806})
		r.outcome(twin, 1, simulator.Outcome{Name: "ZtdDeviceDuplicated"})
		r.fault(
			simulator.Fault{
				Operation: "identities.list",
				Effect:    simulator.Reply,
				Status:    400,
				Code:      "BadRequest",
				Times:     -1,
			},
		)
		ids := r.accept(contoso, h, twin)
		r.run(24*time.Hour, map[device.TenantID][]string{contoso: ids})
		d := r.want(contoso, ids[0], device.Dead, fault.GraphBadRequest)
		if !strings.Contains(d.Detail, "HTTP 400") || !strings.Contains(d.Detail, "registered here") {
			t.Errorf("detail %q", d.Detail)
		}
		r.want(contoso, ids[1], device.Registered, "") // sent again, alone
		if n := r.postsOf(twin); n != 2 {
			t.Errorf("the twin was posted %d times", n)
		}
	})
}
