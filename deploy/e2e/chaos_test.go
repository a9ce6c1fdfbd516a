package e2e

import (
	"cmp"
	"os"
	"strconv"
	"testing"

	"taxiway.example/pkg/autopilot/simulator"
)

// seedVariable repeats a run of chaos.
const seedVariable = "TAXIWAY_E2E_SEED"

// One request in twenty goes wrong by the seed, and so most of those that hold others. Nothing is lost or invented,
// nobody is sent again without a look, and what the pipeline calls ready is registered.
func TestChaos(t *testing.T) {
	onEngines(t, suiteChaos, func(t *testing.T, e engine) {
		seed, err := strconv.ParseInt(cmp.Or(os.Getenv(seedVariable), "20260115"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d; repeat with %s=%d", seed, seedVariable, seed)
		o := simulator.Fast()
		o.Seed = seed
		o.Chaos = simulator.Chaos{
			Throttle:    0.005,
			Unavailable: 0.01,
			ServerError: 0.01,
			ResetBefore: 0.01,
			ResetAfter:  0.01,
			Truncate:    0.01,
		}
		o.Quirks.StorageError = 0.1
		o.Quirks.ConditionNotMet = 0.1
		file := contradicted(t, demo(t, 60))
		w := newFixture(t, o, 1, nil)
		w.plant(t, file)
		w.tenants[0].Limits.ImportSize = 15
		p := start(t, hasty(w.config(t, e.open(t))))
		b := p.submit(t, 1, file.CSV)
		s := p.finished(t, b)
		t.Logf("%d requests: %v %+v", w.calls(), s.States, s.Reasons)
		if s.Rows != 61 || s.Outcomes["accepted"] != 54 || s.Outcomes["conflict"] != 1 {
			t.Errorf("answers: %+v", s)
		}
		if s.States["ready"] < 40 {
			t.Errorf("too few devices got through: %+v", s)
		}
		w.cleaned(t)
		w.neverBlind(t)
		if n := len(w.registered(t, 0)); n < s.States["ready"] || n > s.Outcomes["accepted"] {
			t.Errorf("%d devices are registered: %+v", n, s)
		}
		p.keepsQuiet(t, file)
	})
}
