package brokertest

import (
	"context"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/slowness"
)

var surviving = map[string]func(scene){
	"a restart loses nothing published":       restartLosesNothing,
	"a restart while consuming":               restartWhileConsuming,
	"a lost connection while a handler works": severed,
	"dead letters survive a restart":          deadLettersSurvive,
}

func restartLosesNothing(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	sub.Concurrency = 4
	b := h.open(t, sub)
	publish(t, b, messages(sub, 200)...)
	h.Restart(t)
	again := h.open(t, sub)
	publish(t, again, messages(sub, 200)[:20]...) // the dedupe window survives too
	in := newInbox()
	consume(t, again, sub, in.always(broker.Acknowledge()))
	in.take(t, 200)
	only(t, h, again, sub, in)
}

// restartWhileConsuming: deliveries may come twice when the server dies, but none is missing, and the consumer goes on.
func restartWhileConsuming(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	sub.Concurrency = 2
	b := h.open(t, sub)
	publish(t, b, messages(sub, 40)...)
	in := newInbox()
	gate := make(chan struct{})
	consume(t, b, sub, func(ctx context.Context, d broker.Delivery) broker.Outcome {
		if d.ID >= "m010" {
			select {
			case <-gate:
			case <-ctx.Done():
				return broker.Release()
			}
		}
		in <- d
		return broker.Acknowledge()
	})
	seen := map[string]bool{}
	for len(seen) < 10 {
		seen[in.next(t).ID] = true
	}
	h.Restart(t)
	close(gate)
	for len(seen) < 40 {
		seen[in.next(t).ID] = true
	}
	publish(t, b, message(sub, "afterwards"))
	for !seen["afterwards"] {
		seen[in.next(t).ID] = true
	}
}

// severed: when the connection is back before the lease runs out, the outcome still counts.
func severed(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	sub.Lease = max(sub.Lease, slowness.Stretch(5*time.Second))
	b := h.open(t, sub)
	publish(t, b, message(sub, "a"))
	in := newInbox()
	gate := make(chan struct{})
	c := consume(t, b, sub, func(_ context.Context, d broker.Delivery) broker.Outcome {
		in <- d
		if d.ID == "a" {
			<-gate
		}
		return broker.Acknowledge()
	})
	in.next(t)
	h.Sever(t)
	close(gate)
	publish(t, b, message(sub, "b"))
	if d := in.next(t); d.ID != "b" {
		t.Errorf("%s came again", d.ID)
	}
	c.stop()
	in = newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	pass(sub.Lease)
	publish(t, b, message(sub, "c"))
	if d := in.next(t); d.ID != "c" {
		t.Errorf("%s came again", d.ID)
	}
}

func deadLettersSurvive(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	kill(t, b, sub, messages(sub, 5)...)
	h.Restart(t)
	again := h.open(t, sub)
	if got := deadIn(t, again); len(got) != 5 {
		t.Errorf("%d dead letters", len(got))
	}
	if err := again.Replay(t.Context(), sub.Name, "m003", "m003-r1"); err != nil {
		t.Fatal(err)
	}
	in := newInbox()
	consume(t, again, sub, in.always(broker.Acknowledge()))
	if d := in.next(t); d.ID != "m003-r1" {
		t.Errorf("got %s", d.ID)
	}
}
