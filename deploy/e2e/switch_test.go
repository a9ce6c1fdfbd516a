package e2e

import (
	"testing"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/event"
)

// The broker is changed twice with devices in flight, and what the old one held stays behind. Nothing is lost.
func TestSwitchOfBrokers(t *testing.T) {
	t.Parallel()
	file := demo(t, 60)
	w := newFixture(t, simulator.Fast(), 1, nil)
	w.plant(t, file)
	ledger := sqliteFile(t)
	var b batch
	for _, on := range []struct {
		broker func(*testing.T) site
		lost   event.Type // what the broker keeps for ever
	}{
		{natsEmbedded, event.DevicesCollected}, {serviceBus, event.SubmissionDue}, {natsServer, ""},
	} {
		s := on.broker(t)
		s.ledger = ledger
		tapped := newTap()
		tapped.lose(string(on.lost))
		c := hasty(w.config(t, s))
		c.Hooks.Broker = tapped.hook
		p := start(t, c)
		if b.id == "" {
			b = p.submit(t, 1, file.CSV)
		}
		b.Client = p.as(1)
		if on.lost == "" {
			end := p.finished(t, b)
			if end.States["ready"] != 53 || end.States["held"] != 1 {
				t.Errorf("unexpected end: %+v", end)
			}
			continue
		}
		got := b.until(t, "a message is lost", func(Status) bool { return tapped.lostOf(string(on.lost)) > 0 })
		if got.InFlight() != got.Outcomes["accepted"] {
			t.Errorf("not all in flight when the broker is changed: %+v", got)
		}
		p.stop(t)
	}
	w.sentOnce(t)
}
