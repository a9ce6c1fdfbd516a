package sbbroker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/slowness"
)

// TestChaos: every 60 deliveries something breaks. No message may be missing at the end.
func TestChaos(t *testing.T) {
	t.Parallel()
	const total, consumers, every, chunk = 3000, 3, 60, 30
	b := newFixture(t)
	quiet := Options{Logger: slog.New(slog.DiscardHandler)} // interruptions are the point
	var mu sync.Mutex
	seen := map[string]int{}
	deliveries := 0
	damages := 0
	all := make(chan struct{})
	note := func(id string) {
		mu.Lock()
		defer mu.Unlock()
		deliveries++
		if seen[id]++; len(seen) == total && seen[id] == 1 {
			close(all)
		}
		if deliveries%every == 0 && len(seen) < total {
			b.damage(damages)
			damages++
		}
	}
	sub := importer
	sub.Concurrency = 8
	var stops []func()
	for range consumers {
		_, stop := b.consume(
			b.broker(quiet),
			sub,
			func(_ context.Context, d broker.Delivery) broker.Outcome { note(d.ID); return broker.Acknowledge() },
		)
		stops = append(stops, stop)
	}
	publisher := b.broker(quiet)
	for first := 0; first < total; first += chunk {
		var ids []string
		for i := range chunk {
			ids = append(ids, fmt.Sprintf("m%04d", first+i))
		}
		for b.tryPublish(publisher, ids) != nil { // what callers do: the same ids again
			if t.Context().Err() != nil {
				t.Fatal("publishing never succeeded")
			}
		}
	}
	eventually(t, "all are delivered", func() bool {
		b.Advance(time.Second) // what lost its consumer comes back
		select {
		case <-all:
			return true
		default:
			return false
		}
	})
	for _, stop := range stops {
		stop()
	}
	t.Logf("%d messages, %d deliveries, %d times something broke", len(seen), deliveries, damages)
	if counts, err := b.Counts(importerEntity); err != nil || counts.DeadLetter != 0 {
		t.Errorf("left: %+v, %v", counts, err)
	}
}

func (b *fixture) tryPublish(br *Broker, ids []string) error {
	ctx, cancel := context.WithTimeout(b.Context(), slowness.Stretch(5*time.Second))
	defer cancel()
	var messages []broker.Message
	for _, id := range ids {
		messages = append(messages, work(id))
	}
	return br.Publish(ctx, messages...)
}

// damage breaks one thing or another.
func (b *fixture) damage(n int) {
	var err error
	switch n % 6 {
	case 0, 3:
		b.DropConnections()
	case 1, 4:
		b.DetachLinks("")
	case 2:
		err = errors.Join(b.LoseSettlements(importerEntity, 3), b.CutSends(topicEntity, 1, true))
	case 5:
		err = errors.Join(b.ThrottleSends(topicEntity, 5), b.CutSends(topicEntity, 1, false))
	}
	if err != nil {
		b.Error(err)
	}
}

// TestPoisonProperty: a sender put a number where the client library wants text. It panics whenever it receives that
// message; the neighbours get through, and it ends as a dead letter.
func TestPoisonProperty(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	said := make(chan []byte, 10_000)
	br := b.broker(Options{Now: b.Now, Logger: slog.New(slog.NewTextHandler(writes(said), nil))})
	met := 0
	id := "poison"
	poison := &azservicebus.Message{
		MessageID:             &id,
		ApplicationProperties: map[string]any{"DeadLetterReason": int64(42)},
	}
	b.publish(br, "before-1", "before-2")
	b.send(t, importer.Type, poison)
	b.publish(br, "after-1", "after-2")
	sub := importer
	sub.Concurrency = 8
	got, stop := b.consume(br, sub, done)
	for k := range MaxDeliveryCount {
		eventually(t, "it was met again, and the neighbours are through", func() bool {
			for len(said) > 0 {
				met += bytes.Count(<-said, []byte("a message that the client"))
			}
			c, err := b.Counts(importerEntity)
			return err == nil && met == k+1 && c.Active == 0 && (k == 0 || c.Locked == 1)
		})
		b.Advance(importer.Lease + time.Second)
	}
	b.want(importerEntity, simulator.Counts{DeadLetter: 1})
	seen := map[string]bool{}
	for len(seen) < 4 { // one may have come twice: it was in hand when the clock jumped
		seen[next(t, got).ID] = true
	}
	if seen["poison"] {
		t.Errorf("seen %v", seen)
	}
	if p := b.dead(br)["poison"]; p.Reason != fault.MessageExhausted || p.Subscription != "importer" {
		t.Errorf("%+v", p)
	}
	b.publish(br, "afterwards")
	for next(t, got).ID != "afterwards" {
	}
	stop()
}

// TestDayOfSilence: links and connections that nobody used have been closed in the meantime.
func TestDayOfSilence(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	br := b.broker(Options{Now: b.Now})
	got, _ := b.consume(br, importer, done)
	b.publish(br, "before")
	next(t, got)
	eventually(
		t,
		"settled",
		func() bool { c, err := b.Counts(importerEntity); return err == nil && c == simulator.Counts{} },
	)
	for range 24 {
		b.Advance(time.Hour)
	}
	b.publish(br, "after")
	if d := next(t, got); d.ID != "after" || d.Attempt != 1 {
		t.Errorf("%+v", d)
	}
	b.must(br.Health(t.Context()))
}

// TestLostLock: the handler is told, and what it says afterwards counts for nothing.
func TestLostLock(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	sub := importer
	sub.Lease = 2 * time.Second
	br := b.broker(Options{})
	told := make(chan error, 10)
	first := true
	got, _ := b.consume(br, sub, func(ctx context.Context, _ broker.Delivery) broker.Outcome {
		if !first {
			return broker.Acknowledge()
		}
		first = false
		<-ctx.Done()
		told <- context.Cause(ctx)
		return broker.Release()
	})
	b.publish(br, "a")
	next(t, got)
	b.Advance(time.Hour)
	if err := next(t, told); !errors.Is(err, adapter.ErrLost) {
		t.Errorf("the handler was told %v", err)
	}
	if d := next(t, got); d.ID != "a" || d.Attempt != 1 {
		t.Errorf("%+v: a lost lock is no attempt", d)
	}
	eventually(
		t,
		"settled",
		func() bool { c, err := b.Counts(importerEntity); return err == nil && c == simulator.Counts{} },
	)
}

// TestUnansweredSettlement: it was carried out, and nobody said so.
func TestUnansweredSettlement(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	br := b.broker(Options{})
	got, stop := b.consume(br, importer, done)
	b.must(b.LoseSettlements(importerEntity, 1))
	b.publish(br, "a")
	next(t, got)
	stop()
	b.want(importerEntity, simulator.Counts{})
}

// TestSettlementsSurvive: links and connections that end while the handler works.
func TestSettlementsSurvive(t *testing.T) {
	t.Parallel()
	outcomes := map[string]struct {
		says broker.Outcome
		want simulator.Counts
	}{
		"done":        {broker.Acknowledge(), simulator.Counts{}},
		"dead letter": {broker.DeadLetter(fault.New(fault.MessageMalformed, "x")), simulator.Counts{DeadLetter: 1}},
	}
	breaks := map[string]func(*fixture){
		"detach": func(b *fixture) { b.DetachLinks("") },
		"drop":   func(b *fixture) { b.DropConnections() },
		"both":   func(b *fixture) { b.DetachLinks(""); b.DropConnections() },
		"refuse": func(b *fixture) { b.line.cut(5) },
	}
	for outcome, o := range outcomes {
		for how, cut := range breaks {
			t.Run(outcome+" after "+how, func(t *testing.T) {
				t.Parallel()
				b := newFixture(t)
				br := b.broker(Options{})
				got, stop := b.consume(
					br,
					importer,
					func(context.Context, broker.Delivery) broker.Outcome { cut(b); return o.says },
				)
				b.publish(br, "a")
				next(t, got)
				stop()
				b.want(importerEntity, o.want)
			})
		}
	}
}
