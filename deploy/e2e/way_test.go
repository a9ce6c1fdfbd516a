package e2e

import (
	"testing"

	"taxiway.example/pkg/autopilot/simulator"
)

// One file, from intake to ready; every exchange with Microsoft held to the contract.
func TestAFileBecomesReadyDevices(t *testing.T) {
	onEngines(t, suiteWay, func(t *testing.T, e engine) {
		file := demo(t, 120)
		w := newFixture(t, simulator.Fast(), 1, sharedContract(t))
		w.plant(t, file)
		p := start(t, w.config(t, e.open(t)))
		s := p.finished(t, p.submit(t, 1, file.CSV))
		t.Logf("%+v", s)
		if s.Rows != 120 || s.Outcomes["rejected"] != 4 || s.Outcomes["duplicate"] != 2 || s.States["held"] != 1 ||
			s.States["ready"] != 113 {
			t.Errorf("unexpected end: %+v", s)
		}
		w.cleaned(t)
		w.sentOnce(t)
		w.kept(t)
		p.stop(t)
		p.keepsQuiet(t, file)
	})
}
