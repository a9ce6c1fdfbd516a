package e2e

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/fault"
)

// trouble is what Microsoft's side does wrong to a file, and what has to come of it.
type trouble struct {
	name   string
	change func(*simulator.Options)
	before func(*testing.T, *deadLetterCase) // before the file is sent
	during func(*testing.T, *deadLetterCase) // while its devices are on their way
	faults []simulator.Fault                 // the serial numbers victim and second stand for those of two devices

	want  map[string]int // states of the devices; nil: everybody is ready but the device of another tenant
	code  fault.Code     // why the victim is not ready
	posts int            // import calls carried out for the victim; 0 is one
}

// deadLetterCase is a file with devices that a fault stops.
type deadLetterCase struct {
	fixture *fixture
	batch   batch
	rows    sheet
	victim  int // row of the device that has the trouble
}

const (
	victim = "VICTIM"
	second = "SECOND"
)

// troubledRows are one of everything and twelve good devices more.
const troubledRows = demofile.MinRows + 12

// Whatever goes wrong at Microsoft's side, every device comes to its end, and none is sent again without a look.
func TestFaultsOfMicrosoftsSide(t *testing.T) {
	t.Parallel()
	for i, tr := range troubles {
		e := turn(i)
		t.Run(strings.ReplaceAll(tr.name, " ", "-")+"/"+e.name, func(t *testing.T) {
			t.Parallel()
			tr.run(t, e)
		})
	}
}

func (tr trouble) run(t *testing.T, e engine) {
	t.Helper()
	o := simulator.Fast()
	if tr.change != nil {
		tr.change(&o)
	}
	file := demo(t, troubledRows)
	a := &deadLetterCase{fixture: newFixture(t, o, 1, nil), rows: sheetOf(t, file)}
	a.victim = a.rows.hyphenated(t)
	a.fixture.plant(t, file)
	a.arm(t, tr.faults)
	if tr.before != nil {
		tr.before(t, a)
	}
	p := start(t, hasty(a.fixture.config(t, e.open(t))))
	a.batch = p.submit(t, 1, file.CSV)
	if tr.during != nil {
		tr.during(t, a)
	}
	tr.check(t, a, p.finished(t, a.batch))
	p.stop(t)
	p.keepsQuiet(t, file)
}

// arm puts the faults into the plan, with the serial numbers of the file.
func (a *deadLetterCase) arm(t *testing.T, faults []simulator.Fault) {
	t.Helper()
	for _, f := range faults {
		switch f.Serial {
		case victim:
			f.Serial = a.rows.serial(a.victim)
		case second:
			f.Serial = a.rows.serial(a.victim - 1)
		}
		if _, err := a.fixture.sim.Server.AddFault(f); err != nil {
			t.Fatal(err)
		}
	}
}

func (tr trouble) check(t *testing.T, a *deadLetterCase, s Status) {
	t.Helper()
	want := tr.want
	if want == nil {
		want = map[string]int{"ready": 17, "held": 1}
	}
	if diff := cmp.Diff(want, s.States); diff != "" {
		t.Errorf("unexpected states (-want +got):\n%s%+v", diff, s.Reasons)
	}
	if row := a.batch.rows(t)[a.victim-1]; row.DeviceCode != string(tr.code) {
		t.Errorf("the victim is %s with %q, want %q", row.State, row.DeviceCode, tr.code)
	}
	for _, f := range a.fixture.sim.Server.Plan() {
		if f.Met == 0 {
			t.Errorf("a fault was never met: %s at %s", f.Effect, f.Operation)
		}
	}
	a.fixture.neverBlind(t)
	a.sentAsOften(t, max(1, tr.posts))
}

// sentAsOften checks that the victim was imported that often, and every other device at Microsoft once.
func (a *deadLetterCase) sentAsOften(t *testing.T, posts int) {
	t.Helper()
	imports := a.fixture.imports()
	for _, i := range a.fixture.state(t, 0).Identities {
		want := 1
		if i.Serial == a.rows.serial(a.victim) {
			want = posts
		}
		if imports[i.Key] != want {
			t.Errorf("%s was imported %d times, want %d", i.Serial, imports[i.Key], want)
		}
	}
}
