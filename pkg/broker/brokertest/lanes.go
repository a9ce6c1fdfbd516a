package brokertest

import (
	"context"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

var lanes = map[string]func(scene){
	"each lane is consumed by its own":    lanesApart,
	"a message without a lane is bulk":    defaultLane,
	"a full lane does not hold the other": busyLane,
	"a retry stays in its lane":           retryInLane,
	"a dead letter is replayed in lane":   replayInLane,
	"an unknown lane is refused":          unknownLane,
}

// both returns the subscriptions of one type to both lanes.
func (h Harness) both() (bulk, single broker.Subscription) {
	bulk = h.sub()
	single = h.sub()
	single.Lane = broker.Single
	return bulk, single
}

func lanesApart(s scene) {
	t := s.t
	h := s.h
	bulk, single := h.both()
	b := h.open(t, bulk, single)
	many := newInbox()
	few := newInbox()
	consume(t, b, bulk, many.always(broker.Acknowledge()))
	consume(t, b, single, few.always(broker.Acknowledge()))
	publish(t, b, message(bulk, "m1"), message(single, "s1"), message(bulk, "m2"), message(single, "s2"))
	for lane, in := range map[broker.Lane]inbox{broker.Bulk: many, broker.Single: few} {
		for _, d := range in.take(t, 2) {
			if d.Lane != lane || (d.ID[0] == 's') != (lane == broker.Single) {
				t.Errorf("%s came in lane %q by the subscription of %q", d.ID, d.Lane, lane)
			}
		}
	}
	only(t, h, b, bulk, many)
	few.empty(t)
}

func defaultLane(s scene) {
	t := s.t
	h := s.h
	bulk, single := h.both()
	b := h.open(t, bulk, single)
	few := newInbox()
	many := newInbox()
	consume(t, b, single, few.always(broker.Acknowledge()))
	bulk.Lane = ""
	consume(t, b, bulk, many.always(broker.Acknowledge()))
	m := message(bulk, "a")
	publish(t, b, m)
	if d := many.next(t); d.ID != "a" || d.Lane != broker.Bulk {
		t.Errorf("%s came in lane %q", d.ID, d.Lane)
	}
	few.empty(t)
}

// busyLane: handlers that all wait in one lane leave those of the other free.
func busyLane(s scene) {
	t := s.t
	h := s.h
	bulk, single := h.both()
	b := h.open(t, bulk, single)
	gate := make(chan struct{})
	started := newInbox()
	in := newInbox()
	consume(t, b, bulk, func(ctx context.Context, d broker.Delivery) broker.Outcome {
		started <- d
		select {
		case <-gate:
		case <-ctx.Done():
			return broker.Release()
		}
		return broker.Acknowledge()
	})
	publish(t, b, messages(bulk, 20)...)
	started.next(t)
	consume(t, b, single, in.always(broker.Acknowledge()))
	publish(t, b, message(single, "a"))
	if d := in.next(t); d.ID != "a" {
		t.Errorf("got %s", d.ID)
	}
	close(gate)
	started.take(t, 19)
}

func retryInLane(s scene) {
	t := s.t
	h := s.h
	bulk, single := h.both()
	b := h.open(t, bulk, single)
	many := newInbox()
	few := newInbox()
	consume(t, b, bulk, many.always(broker.Acknowledge()))
	consume(t, b, single, func(_ context.Context, d broker.Delivery) broker.Outcome {
		few <- d
		if d.Attempt == 1 {
			return broker.RetryAfter(0)
		}
		return broker.Acknowledge()
	})
	publish(t, b, message(single, "a"))
	if got := few.take(t, 2); got["a/2"].Lane != broker.Single {
		t.Errorf("%+v", got)
	}
	many.empty(t)
}

func replayInLane(s scene) {
	t := s.t
	h := s.h
	bulk, single := h.both()
	b := h.open(t, bulk, single)
	kill(t, b, single, message(single, "a"))
	if got := deadIn(t, b); got["importer/a"].Lane != broker.Single {
		t.Errorf("%+v", got)
	}
	many := newInbox()
	few := newInbox()
	consume(t, b, bulk, many.always(broker.Acknowledge()))
	consume(t, b, single, few.always(broker.Acknowledge()))
	if err := b.Replay(t.Context(), single.Name, "a", "a-r1"); err != nil {
		t.Fatal(err)
	}
	if d := few.next(t); d.ID != "a-r1" || d.Lane != broker.Single {
		t.Errorf("%s came in lane %q", d.ID, d.Lane)
	}
	many.empty(t)
}

func unknownLane(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	sub.Lane = "fast"
	if err := b.Publish(t.Context(), message(sub, "a")); fault.CodeOf(err) != fault.MessageMalformed {
		t.Errorf("publish: %v", err)
	}
	if err := b.Consume(t.Context(), sub, nil); fault.CodeOf(err) != fault.MessageMalformed {
		t.Errorf("consume: %v", err)
	}
}
