package submission_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/services/importer/internal/submission"
)

// scenarios are imports that end in every way there is. They are apart because the cost of a crash test grows with the
// square of its length.
var scenarios = map[string]func(*testing.T, *fixture) []string{
	"at the first try": func(t *testing.T, r *fixture) []string {
		hashes := machines(t, 1, 4)
		if err := r.sim.SeedOwnedByOther(hardware(hashes[1])); err != nil {
			t.Fatal(err)
		}
		if _, err := r.sim.SeedRegistered(entra[contoso], simulator.Registered{Hardware: hardware(hashes[2])}); err != nil {
			t.Fatal(err)
		}
		r.outcome(hashes[3], -1, simulator.Outcome{Name: "InvalidZtdHardwareHash", Code: 802})
		return r.accept(contoso, hashes...)
	},
	"after a storage error": func(t *testing.T, r *fixture) []string {
		h := machine(t, 5)
		r.outcome(h, 1, simulator.Outcome{Name: "StorageError", Code: 640})
		return r.accept(contoso, h)
	},
	"already here and invisible": func(t *testing.T, r *fixture) []string {
		h := machine(t, 12)
		r.outcome(h, 1, simulator.Outcome{Name: "ZtdDeviceAlreadyAssigned", Code: 806})
		return r.accept(contoso, h)
	},
	"after a twin that does not show up": func(t *testing.T, r *fixture) []string {
		h := machine(t, 6)
		r.outcome(h, 1, simulator.Outcome{Name: "ZtdDeviceDuplicated"})
		return r.accept(contoso, h)
	},
	"the POST is lost": func(t *testing.T, r *fixture) []string {
		r.fault(simulator.Fault{Operation: importing, Effect: simulator.ResetBefore})
		return r.accept(contoso, machines(t, 7, 2)...)
	},
	"the answer is lost": func(t *testing.T, r *fixture) []string {
		r.fault(simulator.Fault{Operation: importing, Effect: simulator.ResetAfter})
		return r.accept(contoso, machines(t, 9, 2)...)
	},
	"the POST is refused": func(t *testing.T, r *fixture) []string {
		r.fault(simulator.Fault{Operation: importing, Effect: simulator.Reply, Status: 429})
		return r.accept(contoso, machine(t, 11))
	},
}

// habits are what nobody knows of the service: whether it keeps import ids, and whether it can be asked for them.
var habits = map[string]simulator.Quirks{
	"kept":     {},
	"replaced": {ImportIDReplaced: true},
	"ignored":  {ImportIDIgnored: true},
	"refused":  {ImportIDRefused: true},
}

// with returns the knobs for a service with these habits.
func (k knobs) with(q simulator.Quirks) knobs {
	k.sim.Quirks.ImportIDReplaced = q.ImportIDReplaced
	k.sim.Quirks.ImportIDIgnored = q.ImportIDIgnored
	k.sim.Quirks.ImportIDRefused = q.ImportIDRefused
	return k
}

// brisk needs few looks: every call of a run costs two runs.
var brisk = knobs{
	sim: simulator.Options{Seed: 1, Delays: simulator.Delays{
		Import:          simulator.Delay{Min: 30 * time.Second, Max: 30 * time.Second},
		IdentityVisible: simulator.Delay{Min: 20 * time.Second, Max: 20 * time.Second},
	}},
	timings: submission.Timings{PollFirst: 3 * time.Minute, Lost: 2 * time.Minute, Invisible: 10 * time.Minute},
}

// ending is where a device ended, without what differs from run to run.
type ending struct {
	State      device.State
	Code       fault.Code
	Registered bool
	Announced  bool
}

func (r *fixture) endings(t *testing.T, ids []string) []ending {
	t.Helper()
	var all []ending
	announced := r.announced()
	for _, id := range ids {
		d := r.device(contoso, id)
		// An event lost in a crash is made up for by the device's due time.
		known := slices.Contains(announced, id) || d.State == device.Registered && !d.Due.IsZero()
		all = append(all, ending{d.State, d.Code, d.RegistrationID != "", known})
	}
	return all
}

// The process dies at every call to a neighbour in turn, and after every call that has an effect. A new process on the
// same ledger comes to the same end, and sends no device again that nobody has looked for. Whatever the service does
// with import ids, the end is the same.
func TestCrashAtEveryStep(t *testing.T) {
	t.Parallel()
	for name, scenario := range scenarios {
		for habit, q := range habits {
			t.Run(name+", import ids "+habit, func(t *testing.T) {
				if habit != "kept" && (testing.Short() || underRace) {
					t.Skip("SKIPPED: crashes with import ids " + habit + ", as tests are short or slow")
				}
				crashEverywhere(t, scenario, q)
			})
		}
	}
}

func uncrashed(t *testing.T, scenario func(*testing.T, *fixture) []string, q simulator.Quirks) ([]ending, *reaper) {
	baseline := &reaper{}
	r := newFixture(t, t, brisk.with(q))
	ids := scenario(t, r)
	living := r.mortal(baseline)
	r.runWith(t, &living, ids)
	return r.endings(t, ids), baseline
}

func crashEverywhere(t *testing.T, scenario func(*testing.T, *fixture) []string, q simulator.Quirks) {
	var want []ending
	var baseline *reaper
	bubble(t, func(t *testing.T) {
		var got []ending
		want, _ = uncrashed(t, scenario, habits["kept"])
		got, baseline = uncrashed(t, scenario, q)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("another end (-want +got):\n%s", diff)
		}
	})
	if len(baseline.writes) < 6 || len(want) == 0 {
		t.Fatalf(
			"%d calls with an effect, %d devices: the scenario does not reach far",
			len(baseline.writes),
			len(want),
		)
	}
	t.Logf("%d calls to neighbours, %d with an effect", baseline.calls, len(baseline.writes))
	var deaths []reaper
	for _, at := range baseline.writes {
		deaths = append(deaths, reaper{at: at, after: true})
	}
	// A death before a call leaves what a death after the effect before it leaves: with time to spare, both are tried.
	for at := range baseline.calls {
		if !underRace && q == (simulator.Quirks{}) {
			deaths = append(deaths, reaper{at: at + 1})
		}
	}
	for _, reap := range deaths {
		t.Run(fmt.Sprintf("at call %d, after its effect: %v", reap.at, reap.after), func(t *testing.T) {
			bubble(t, func(t *testing.T) { crashAt(t, scenario, q, &reap, want) })
		})
	}
}

func crashAt(
	t *testing.T, scenario func(*testing.T, *fixture) []string, q simulator.Quirks, reap *reaper, want []ending,
) {
	r := newFixture(t, t, brisk.with(q))
	ids := scenario(t, r)
	dying := r.mortal(reap)
	r.runWith(t, &dying, ids)
	if !reap.dead {
		t.Fatal("the process lived")
	}
	r.runWith(t, &r.Service, ids)
	if diff := cmp.Diff(want, r.endings(t, ids)); diff != "" {
		t.Errorf("another end (-want +got):\n%s", diff)
	}
	r.conserved(t, ids)
}

// runWith runs a service until everything is through, or it is dead.
func (r *fixture) runWith(t *testing.T, s *submission.Service, ids []string) {
	t.Helper()
	all := map[device.TenantID][]string{contoso: ids}
	for end, worked := time.Now().Add(48*time.Hour), true; worked || !r.finished(all); {
		if time.Now().After(end) {
			t.Fatalf("not settled: %s", r.describe(all))
		}
		due := r.due()
		for _, do := range due {
			if err := do(s); errors.Is(err, errCrash) {
				return
			} else if err != nil {
				t.Fatal(err)
			}
		}
		worked = len(due) > 0
		r.rest(worked)
	}
}

// conserved checks the laws that hold whatever happens: every device is somewhere, Autopilot has a device from us if
// and only if the ledger says so, our records are gone, and nothing was sent blindly.
func (r *fixture) conserved(t tb, ids []string) {
	t.Helper()
	state := r.state(contoso)
	registered := map[string]bool{}
	for _, i := range state.Identities {
		registered[i.ID] = true
	}
	mine := map[string]bool{}
	for _, id := range ids {
		d := r.device(contoso, id)
		switch d.State {
		case device.Registered:
			if !registered[d.RegistrationID] {
				t.Errorf("the ledger says registered as %q, Autopilot does not know it", d.RegistrationID)
			}
			if mine[d.RegistrationID] {
				t.Errorf("two devices are registered as %q", d.RegistrationID)
			}
			mine[d.RegistrationID] = true
		case device.Dead, device.Held:
			if d.Code == "" {
				t.Errorf("a device is %s and does not say why", d.State)
			}
		default:
			t.Errorf("a device is left %s", d.State)
		}
	}
	for id := range registered {
		if !mine[id] {
			t.Errorf("Autopilot has registered %q, and no device of the ledger says so", id)
		}
	}
	if blind := simulator.BlindReposts(r.sim.Log()); len(blind) > 0 {
		t.Errorf("posted twice without a look: %+v", blind)
	}
}
