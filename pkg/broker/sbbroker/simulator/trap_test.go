package simulator_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker/sbbroker/simulator"
)

// The traps of the client that an adapter has to survive; each must be as real
// here as it is against the service.

func TestTrapSettleAfterLostConnection(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a")
	r := b.receiver("plain", nil)
	m := b.one(r)
	b.server.DropConnections()
	_, err := r.PeekMessages(b.ctx, 1, nil) // reconnects the receiver
	b.must(err)
	short, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
	defer cancel()
	if err := r.CompleteMessage(short, m, nil); err == nil {
		t.Error("settling on the lost link succeeded")
	}
	b.want("plain", simulator.Counts{Locked: 1})
	b.complete(r, &azservicebus.ReceivedMessage{LockToken: m.LockToken})
	b.want("plain", simulator.Counts{})
}

func TestTrapReplayIntoDuplicateWindow(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("unique")
	r := b.receiver("unique", nil)
	dead := b.deadLettersOf("unique")
	b.send(s, "a")
	b.must(r.DeadLetterMessage(b.ctx, b.one(r), nil))
	deadLetter := b.one(dead)
	b.must(s.SendMessage(b.ctx, deadLetter.Message(), nil))
	b.want("unique", simulator.Counts{DeadLetter: 1}) // sent without an error, stored nowhere
	fresh := deadLetter.Message()
	fresh.MessageID = ptr("a#1")
	b.must(s.SendMessage(b.ctx, fresh, nil))
	b.want("unique", simulator.Counts{Active: 1, DeadLetter: 1})
}

func TestTrapPoisonProperty(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	poison := message("a")
	poison.ApplicationProperties["DeadLetterReason"] = int64(42)
	s := b.sender("plain")
	b.must(s.SendMessage(b.ctx, poison, nil))
	r := b.receiver("plain", nil)
	for i := range 3 {
		if !panics(func() { _, _ = r.ReceiveMessages(b.ctx, 1, nil) }) {
			t.Errorf("receive %d did not panic", i)
		}
		b.server.Advance(61 * time.Second)
	}
	b.want("plain", simulator.Counts{DeadLetter: 1})
	if m := b.one(b.deadLettersOf("plain")); *m.DeadLetterReason != "MaxDeliveryCountExceeded" {
		t.Errorf("reason %q", *m.DeadLetterReason)
	}
	b.send(s, "b")
	if m := b.one(r); m.MessageID != "b" {
		t.Errorf("got %q", m.MessageID)
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return
}

func TestTrapNilNilWhenTheConnectionDrops(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	r := b.receiver("plain", nil)
	_, err := r.PeekMessages(b.ctx, 1, nil) // connects
	b.must(err)
	type answer struct {
		messages []*azservicebus.ReceivedMessage
		err      error
	}
	got := make(chan answer, 1)
	go func() {
		m, err := r.ReceiveMessages(b.ctx, 1, nil)
		got <- answer{m, err}
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case a := <-got:
			if a.messages != nil || a.err != nil {
				t.Errorf("got %v, %v", a.messages, a.err)
			}
			return
		case <-tick.C: // sooner or later the call is waiting when this happens
			b.server.DropConnections()
		}
	}
}

func TestTrapEmptyBatchPanics(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	batch, err := s.NewMessageBatch(b.ctx, nil)
	b.must(err)
	if !panics(func() { _ = s.SendMessageBatch(b.ctx, batch, nil) }) {
		t.Error("sending an empty batch did not panic")
	}
}

func TestTrapBodyOfOtherShapes(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	b.must(s.SendAMQPAnnotatedMessage(b.ctx, &azservicebus.AMQPAnnotatedMessage{
		Body: azservicebus.AMQPAnnotatedMessageBody{Value: map[string]any{"a": int64(1)}},
	}, nil))
	b.must(s.SendAMQPAnnotatedMessage(b.ctx, &azservicebus.AMQPAnnotatedMessage{
		Body: azservicebus.AMQPAnnotatedMessageBody{Data: [][]byte{{1}, {2}}},
	}, nil))
	got := b.many(b.receiver("plain", nil), 2)
	if got[0].Body != nil || got[1].Body != nil || len(got[1].RawAMQPMessage.Body.Data) != 2 {
		t.Errorf("bodies %v and %v", got[0].Body, got[1].Body)
	}
	if v, ok := got[0].RawAMQPMessage.Body.Value.(map[string]any); !ok || v["a"] != int64(1) {
		t.Errorf("value %v", got[0].RawAMQPMessage.Body.Value)
	}
}

func TestReleaseDoesNotCount(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	r := b.receiver("plain", nil)
	b.send(s, "a")
	b.complete(r, b.many(r, 1)...)
	// Ask for three, get one: two credits stay, and the client's background
	// releaser gives back whatever arrives on them.
	b.send(s, "b")
	first, err := r.ReceiveMessages(b.ctx, 3, nil)
	b.must(err)
	b.complete(r, first...)
	b.send(s, "c", "d")
	b.eventually("plain", simulator.Counts{Active: 2})
	for _, m := range b.many(b.receiver("plain", nil), 2) {
		if m.DeliveryCount != 1 {
			t.Errorf("%s: delivery count %d after a release", m.MessageID, m.DeliveryCount)
		}
	}
}

func TestSilenceOf25Hours(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	r := b.receiver("plain", nil)
	b.send(s, "a")
	b.complete(r, b.one(r))
	for range 25 {
		b.server.Advance(time.Hour) // links and connection idle out
	}
	b.send(s, "b")
	b.complete(r, b.one(r))
	b.want("plain", simulator.Counts{})
}

func TestCompetingReceivers(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	const receivers, total = 4, 400
	b.send(b.sender("plain"), numbered(total)...)
	var mu sync.Mutex
	seen := map[string]int{}
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	var wg sync.WaitGroup
	for range receivers {
		r := b.receiver("plain", nil)
		wg.Go(func() {
			for ctx.Err() == nil {
				got, err := r.ReceiveMessages(ctx, 7, nil)
				if err != nil && ctx.Err() == nil {
					t.Errorf("receive: %v", err)
					return
				}
				for _, m := range got {
					if err := r.CompleteMessage(b.ctx, m, nil); err != nil {
						t.Errorf("complete: %v", err)
					}
					mu.Lock()
					if seen[m.MessageID]++; len(seen) == total {
						cancel()
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was delivered %d times", id, n)
		}
	}
	b.want("plain", simulator.Counts{})
}
