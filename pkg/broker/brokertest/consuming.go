package brokertest

import (
	"context"
	"sync"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
)

var consuming = map[string]func(scene){
	"consumers of one name compete":          competing,
	"each name gets a copy":                  copies,
	"only the type asked for":                types,
	"as many handlers at once as asked for":  concurrency,
	"a handler slower than the lease":        slowHandler,
	"cancel during a handler gives back":     cancelGivesBack,
	"cancel during a handler drains":         cancelDrains,
	"a context that has ended consumes none": endedContext,
}

func competing(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	a := h.open(t, sub)
	b := h.open(t, sub)
	in := newInbox()
	consume(t, a, sub, in.always(broker.Acknowledge()))
	consume(t, b, sub, in.always(broker.Acknowledge()))
	publish(t, a, messages(sub, 60)...)
	in.take(t, 60)
	only(t, h, a, sub, in)
}

// copies also holds an adapter to this: when two subscriptions retry the same message, neither copy is taken for the
// other.
func copies(s scene) {
	t := s.t
	h := s.h
	one := h.sub()
	two := h.sub()
	two.Name = "audit"
	b := h.open(t, one, two)
	publish(t, b, message(one, "a"))
	boxes := map[string]inbox{}
	for _, sub := range []broker.Subscription{one, two} {
		in := newInbox()
		boxes[sub.Name] = in
		consume(t, b, sub, func(_ context.Context, d broker.Delivery) broker.Outcome {
			in <- d
			if d.Attempt == 1 && d.ID == "a" {
				return broker.RetryAfter(0)
			}
			return broker.Acknowledge()
		})
	}
	for name, in := range boxes {
		if got := in.take(t, 2); got["a/2"].ID != "a" {
			t.Errorf("%s got %v", name, got)
		}
	}
	pass(h.Lease + h.Lease/2)
	publish(t, b, message(one, "last"))
	for name, in := range boxes {
		if d := in.next(t); d.ID != "last" {
			t.Errorf("%s got %s once more", name, d.ID)
		}
	}
}

func types(s scene) {
	t := s.t
	h := s.h
	longer := h.sub()
	shorter := h.sub()
	other := h.sub()
	shorter.Type = "devices.collected"
	other.Type = "submissions.due.v1"
	subs := []broker.Subscription{longer, shorter, other}
	b := h.open(t, subs...)
	in := map[string]inbox{}
	for _, sub := range subs {
		in[sub.Type] = newInbox()
		consume(t, b, sub, in[sub.Type].always(broker.Acknowledge()))
	}
	for _, typ := range []string{"devices", shorter.Type, longer.Type, other.Type, "devices.ready.v1"} {
		m := message(longer, "id-of-"+typ)
		m.Type = typ
		publish(t, b, m)
	}
	for typ, box := range in {
		if d := box.next(t); d.Type != typ || d.ID != "id-of-"+typ {
			t.Errorf("%s got %s", typ, d.ID)
		}
	}
	for _, box := range in {
		box.empty(t)
	}
}

func concurrency(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	sub.Concurrency = 3
	b := h.open(t, sub)
	publish(t, b, messages(sub, 7)...)
	var mu sync.Mutex
	working := 0
	most := 0
	together := make(chan struct{})
	in := newInbox()
	consume(t, b, sub, func(ctx context.Context, d broker.Delivery) broker.Outcome {
		mu.Lock()
		working++
		most = max(most, working)
		if working == sub.Concurrency && most == working {
			select {
			case <-together:
			default:
				close(together)
			}
		}
		mu.Unlock()
		select {
		case <-together:
		case <-ctx.Done():
		}
		mu.Lock()
		working--
		mu.Unlock()
		in <- d
		return broker.Acknowledge()
	})
	awaittest.Receive(t, "three handlers at once", together)
	in.take(t, 7)
	mu.Lock()
	defer mu.Unlock()
	if most > sub.Concurrency {
		t.Errorf("%d handlers at once", most)
	}
}

func slowHandler(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	other := h.open(t, sub)
	publish(t, b, message(sub, "slow"))
	in := newInbox()
	slow := func(_ context.Context, d broker.Delivery) broker.Outcome {
		in <- d
		if d.ID == "slow" {
			pass(2 * h.Lease)
		}
		return broker.Acknowledge()
	}
	consume(t, b, sub, slow)
	in.next(t)
	consume(t, other, sub, slow)
	pass(2 * h.Lease)
	only(t, h, b, sub, in)
}

func cancelGivesBack(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	publish(t, b, message(sub, "a"))
	started := make(chan struct{}, 100)
	returned := make(chan struct{}, 100)
	c := consume(t, b, sub, func(ctx context.Context, _ broker.Delivery) broker.Outcome {
		started <- struct{}{}
		<-ctx.Done()
		returned <- struct{}{}
		return broker.Release()
	})
	awaittest.Receive(t, "the handler", started)
	c.stop()
	select {
	case <-returned:
	default:
		t.Error("Consume returned before the handler")
	}
	in := newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	if d := in.next(t); d.ID != "a" || d.Attempt != 1 {
		t.Errorf("%s came as attempt %d: being told to stop is no attempt", d.ID, d.Attempt)
	}
}

func cancelDrains(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	publish(t, b, message(sub, "a"))
	started := make(chan struct{}, 100)
	c := consume(t, b, sub, func(ctx context.Context, _ broker.Delivery) broker.Outcome {
		started <- struct{}{}
		<-ctx.Done()
		return broker.Acknowledge() // finished all the same
	})
	awaittest.Receive(t, "the handler", started)
	c.stop()
	in := newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	only(t, h, b, sub, in)
}

func endedContext(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	publish(t, b, message(sub, "a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := newInbox()
	if err := b.Consume(ctx, sub, in.always(broker.Acknowledge())); err != nil {
		t.Error(err)
	}
	in.empty(t)
	consume(t, b, sub, in.always(broker.Acknowledge()))
	in.take(t, 1)
}
