package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
)

// ending is where everything stands when nothing is left to do.
type ending struct {
	Rows       []Row    // with the devices' states; the ids left out
	Registered []string // at Microsoft
}

// trial is one file's way through processes that die.
type trial struct {
	file    *demofile.File
	fixture *fixture
	host    *host
	order   order
	batch   batch
}

func newTrial(t *testing.T, e engine) *trial {
	t.Helper()
	x := &trial{file: contradicted(t, demo(t, demofile.MinRows)), fixture: newFixture(t, simulator.Fast(), 1, nil)}
	x.fixture.plant(t, x.file)
	s := e.open(t)
	x.host = newHost(t)
	x.order = order{Ledger: s.ledger, Broker: s.broker, Tenants: x.fixture.tenants}
	t.Cleanup(func() {
		if t.Failed() {
			x.explain(t)
		}
	})
	return x
}

// explain says how far a trial got that failed.
func (x *trial) explain(t *testing.T) {
	t.Helper()
	deaths, err := x.host.trouble()
	passed := x.host.passed(t)
	log := x.host.logs.bytes()
	t.Logf("%d deaths (%v); the last boundaries: %s", deaths, err, strings.Join(passed[max(0, len(passed)-12):], " "))
	t.Logf("the end of the log:\n%s", log[max(0, len(log)-2000):])
}

// run takes the file to its end: a process with the first order, and after each death one with the next.
func (x *trial) run(t *testing.T, first order, next func(deaths int) order) ending {
	t.Helper()
	x.host.run(t, first, next)
	x.batch = x.host.submit(t, 1, x.file.CSV)
	type rest struct {
		Status
		deaths, records int
	}
	end := awaittest.State(t, "rest", func(ctx context.Context) (r rest, ok bool) {
		var err error
		if r.deaths, err = x.host.trouble(); err != nil {
			t.Fatal(err)
		}
		r.records = x.fixture.records(t, 0)
		r.Status, err = x.batch.Batch(ctx, x.batch.id)
		return r, err == nil && r.Done() && r.records == 0
	})
	if err := end.Conserved(); err != nil {
		t.Error(err)
	}
	rows := x.batch.rows(t)
	for i := range rows {
		rows[i].Device = ""
	}
	x.fixture.sentOnce(t)
	discreet(t, "a log", x.host.logs.bytes(), x.file)
	return ending{rows, x.fixture.registered(t, 0)}
}

func (x *trial) unharmed(int) order { return x.order }

// A process dies at any boundary, its successor at any other, and so on: the same end.
func TestCrashAgainAndAgain(t *testing.T) {
	onEngines(t, suiteStorm, func(t *testing.T, e engine) {
		calm := newTrial(t, e)
		want := calm.run(t, calm.order, calm.unharmed)
		x := newTrial(t, e)
		random := rand.New(rand.NewPCG(1, stormSeed))
		next := func(deaths int) order {
			o := x.order
			if deaths < stormDeaths {
				o.Nth = 1 + random.IntN(40)
			}
			return o
		}
		got := x.run(t, next(0), next)
		deaths, _ := x.host.trouble()
		t.Logf("seed %d: %d deaths on the way", stormSeed, deaths)
		if deaths == 0 {
			t.Error("nobody died")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("not the same end (-calm +crashed):\n%s", diff)
		}
	})
}

const (
	stormSeed   = 20260115
	stormDeaths = 12
)

// crash is a boundary, and the how manieth time it is passed.
type crash struct {
	boundary string
	nth      int
}

func (c crash) String() string { return fmt.Sprintf("%s.%d", c.boundary, c.nth) }

// crashes are the first and a later passage of every boundary that an undisturbed run passed. Nobody repeats a run to
// the dead letter; the later passage is an early one, so that other runs come to it too.
func crashes(passed []string, wanted func(string) bool) []crash {
	counts := map[string]int{}
	for _, boundary := range passed {
		counts[boundary]++
	}
	var all []crash
	for boundary, n := range counts {
		if !wanted(boundary) {
			continue
		}
		all = append(all, crash{boundary, 1})
		if n > 2 {
			all = append(all, crash{boundary, min(1+n/2, 3)})
		}
	}
	slices.SortFunc(all, func(a, b crash) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// The process is killed at every boundary between two steps, one after the other, and started again: the same end.
func TestCrashAtEveryBoundary(t *testing.T) {
	for suite, prefixes := range map[string][]string{
		suiteCrash: {""}, suiteCrashLedger: {"ledger."}, suiteCrashBroker: {"publish.", "handle."},
	} {
		t.Run(suite, func(t *testing.T) {
			onEngines(t, suite, func(t *testing.T, e engine) {
				crashEverywhere(t, e, func(boundary string) bool {
					return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(boundary, p) })
				})
			})
		})
	}
}

func crashEverywhere(t *testing.T, e engine, wanted func(string) bool) {
	t.Helper()
	calm := newTrial(t, e)
	want := calm.run(t, calm.order, calm.unharmed)
	all := crashes(calm.host.passed(t), wanted)
	if testing.Short() {
		t.Log("SHORT: every fourth crash only")
		all = slices.DeleteFunc(all, func(c crash) bool { return slices.Index(all, c)%4 != 0 })
	}
	t.Logf("%d crashes to try", len(all))
	for _, c := range all {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			x := newTrial(t, e)
			first := x.order
			first.Kill = c.boundary
			first.Nth = c.nth
			got := x.run(t, first, x.unharmed)
			died := func(context.Context) bool { deaths, _ := x.host.trouble(); return deaths == 1 }
			if c.nth == 1 { // every run passes it, the last ones when the batch is at rest already
				awaittest.True(t, "the run passes "+c.String(), died)
			}
			if died(t.Context()) {
				t.Logf("killed at %s: %d boundaries later the same end", c, len(x.host.passed(t)))
			} else {
				t.Logf("NOT REACHED: this run did not pass %s", c)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("not the same end (-calm +crashed):\n%s", diff)
			}
		})
	}
}
