package simulator_test

import (
	"testing"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator"
)

func TestPurge(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("unique")
	r := b.receiver("unique", nil)
	b.send(s, "dead", "locked", "waiting")
	later := time.Now().Add(time.Hour)
	m := message("later")
	m.ScheduledEnqueueTime = &later
	b.must(s.SendMessage(b.ctx, m, nil))
	b.must(r.DeadLetterMessage(b.ctx, b.one(r), nil))
	held := b.one(r)
	b.want("unique", simulator.Counts{Locked: 1, Active: 1, Scheduled: 1, DeadLetter: 1})
	b.server.Purge()
	b.want("unique", simulator.Counts{})
	if err := r.CompleteMessage(b.ctx, held, nil); err == nil {
		t.Error("a message that is gone was completed")
	}
	b.server.Advance(2 * time.Hour) // nothing is left that would come
	b.want("unique", simulator.Counts{})
	b.send(s, "next")
	if m := b.one(r); m.MessageID != "next" {
		t.Errorf("got %s", m.MessageID)
	}
}
