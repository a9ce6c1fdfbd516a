package brokertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"taxiway.example/pkg/broker"
)

var batching = map[string]func(scene){
	"a batch has mixed outcomes":           mixedBatch,
	"a batch does not wait for ever":       lingeringBatch,
	"a batch handler that returns too few": shortBatch,
}

const mostInBatch = 4

// collectBatches runs ConsumeBatch and hands each delivery to decide.
func collectBatches(t *testing.T, b broker.Consumer, sub broker.Subscription, in inbox, decide func(broker.Delivery) error) *consumption {
	t.Helper()
	return background(t, func(ctx context.Context) error {
		return b.ConsumeBatch(ctx, sub, mostInBatch, 100*time.Millisecond, func(_ context.Context, batch []broker.Delivery) []error {
			if len(batch) == 0 || len(batch) > mostInBatch {
				t.Errorf("a batch of %d", len(batch))
			}
			outcomes := make([]error, len(batch))
			for i, d := range batch {
				outcomes[i] = decide(d)
				in <- d
			}
			return outcomes
		})
	})
}

func mixedBatch(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	publish(t, b, messages(sub, 12)...)
	in := newInbox()
	c := collectBatches(t, b, sub, in, func(d broker.Delivery) error {
		switch {
		case d.ID < "m004":
			return nil
		case d.ID < "m008":
			return deadLetter("no JSON")
		case d.Attempt == 1:
			return broker.Retry(50*time.Millisecond, errTest)
		}
		return nil
	})
	got := in.take(t, 16)
	for i := 8; i < 12; i++ {
		if d := got[fmt.Sprintf("m%03d/2", i)]; d.Attempt != 2 {
			t.Errorf("no second attempt of m%03d", i)
		}
	}
	c.stop()
	if got := parked(t, b); len(got) != 4 || got["importer/m004"].ID == "" || got["importer/m007"].ID == "" {
		t.Errorf("parked: %v", got)
	}
	in = newInbox()
	consume(t, b, sub, in.always(nil))
	only(t, h, b, sub, in)
}

func lingeringBatch(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	in := newInbox()
	c := collectBatches(t, b, sub, in, func(broker.Delivery) error { return nil })
	for _, m := range messages(sub, 3) { // fewer than a batch, one after the other
		publish(t, b, m)
		if d := in.next(t); d.ID != m.ID {
			t.Errorf("got %s", d.ID)
		}
	}
	c.stop()
	in.empty(t)
}

func shortBatch(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	publish(t, b, message(sub, "a"))
	in := newInbox()
	background(t, func(ctx context.Context) error {
		return b.ConsumeBatch(ctx, sub, 2, time.Millisecond, func(_ context.Context, batch []broker.Delivery) []error {
			for _, d := range batch {
				in <- d
			}
			if batch[0].Attempt == 1 {
				return nil // a broken promise is not an acknowledgement
			}
			return make([]error, len(batch))
		})
	})
	in.next(t)
	if d := in.next(t); d.Attempt != 2 {
		t.Errorf("attempt %d", d.Attempt)
	}
}
