package simulator_test

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker/sbbroker/simulator"
)

// TestClockRunsByItself needs no Advance: the wall clock fires timers too.
func TestClockRunsByItself(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.must(
		b.server.AddQueue(
			simulator.Queue{
				Name:   "quick",
				Outbox: simulator.Outbox{LockDuration: 50 * time.Millisecond, MaxDeliveryCount: 2},
			},
		),
	)
	s := b.sender("quick")
	soon := message("a")
	soon.ScheduledEnqueueTime = ptr(b.server.Now().Add(50 * time.Millisecond))
	b.must(s.SendMessage(b.ctx, soon, nil))
	r := b.receiver("quick", nil)
	b.one(r)
	b.one(r)
	b.eventually("quick", simulator.Counts{DeadLetter: 1})
}

func TestClockUnderTheClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	s, err := simulator.New(simulator.Topology{}, simulator.WithNow(func() time.Time { return at }))
	if err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Hour)
	s.Advance(-time.Hour) // time does not run backwards
	if got := s.Now(); !got.Equal(at.Add(time.Hour)) {
		t.Errorf("now %v", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestExpiredWhileLocked: a locked message can still be completed after its time
// to live, but not received again.
func TestExpiredWhileLocked(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("mortal")
	r := b.receiver("mortal", nil)
	for _, id := range []string{"settled", "abandoned"} {
		m := message(id)
		m.TimeToLive = ptr(30 * time.Second)
		b.must(s.SendMessage(b.ctx, m, nil))
	}
	got := b.many(r, 2)
	b.server.Advance(40 * time.Second)
	b.want("mortal", simulator.Counts{Locked: 2})
	b.complete(r, got[0])
	b.must(r.AbandonMessage(b.ctx, got[1], nil))
	b.want("mortal", simulator.Counts{DeadLetter: 1})
}

func TestDeferredMessagesDoNotExpire(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("mortal"), "a")
	r := b.receiver("mortal", nil)
	m := b.one(r)
	b.must(r.DeferMessage(b.ctx, m, nil))
	b.server.Advance(3 * time.Hour)
	b.want("mortal", simulator.Counts{Deferred: 1})
}

// TestDeadLettersStay: no time to live, no delivery count on an expired lock.
func TestDeadLettersStay(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("mortal"), "a")
	r := b.receiver("mortal", nil)
	b.must(r.DeadLetterMessage(b.ctx, b.one(r), nil))
	dead := b.deadLettersOf("mortal")
	for range 20 {
		if m := b.one(dead); m.DeliveryCount != 1 {
			t.Fatalf("delivery count %d", m.DeliveryCount)
		}
		b.server.Advance(61 * time.Second)
	}
	b.server.Advance(1000 * time.Hour)
	b.want("mortal", simulator.Counts{DeadLetter: 1})
}

// TestSettleByToken goes over $management for every decision, as a client does that
// has lost the link.
func TestSettleByToken(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a", "b", "c", "d")
	r := b.receiver("plain", nil)
	var tokens []*azservicebus.ReceivedMessage
	for _, m := range b.many(r, 4) {
		tokens = append(tokens, &azservicebus.ReceivedMessage{LockToken: m.LockToken})
	}
	b.complete(r, tokens[0])
	b.must(
		r.AbandonMessage(
			b.ctx,
			tokens[1],
			&azservicebus.AbandonMessageOptions{PropertiesToModify: map[string]any{"seen": true}},
		),
	)
	b.must(r.DeferMessage(b.ctx, tokens[2], nil))
	b.must(
		r.DeadLetterMessage(
			b.ctx,
			tokens[3],
			&azservicebus.DeadLetterOptions{Reason: ptr("r"), ErrorDescription: ptr("d")},
		),
	)
	b.want("plain", simulator.Counts{Active: 1, Deferred: 1, DeadLetter: 1})
	if m := b.one(r); m.ApplicationProperties["seen"] != true || m.DeliveryCount != 2 {
		t.Errorf("abandoned came back as %+v", m)
	}
	if m := b.one(b.deadLettersOf("plain")); *m.DeadLetterReason != "r" || *m.DeadLetterErrorDescription != "d" {
		t.Errorf("dead letter %+v", m)
	}
	wantCode(t, azservicebus.CodeLockLost, r.CompleteMessage(b.ctx, tokens[0], nil))
}

func TestReceiveDeferredAndDelete(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a")
	r := b.receiver("plain", nil)
	m := b.one(r)
	b.must(r.DeferMessage(b.ctx, m, nil))
	eater := b.receiver("plain", &azservicebus.ReceiverOptions{ReceiveMode: azservicebus.ReceiveModeReceiveAndDelete})
	got, err := eater.ReceiveDeferredMessages(b.ctx, []int64{*m.SequenceNumber}, nil)
	b.must(err)
	if len(got) != 1 || got[0].MessageID != "a" {
		t.Errorf("got %v", got)
	}
	b.want("plain", simulator.Counts{})
}
