package brokertest

import (
	"context"
	"sync"
	"time"

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
	t, h := s.t, s.h
	sub := h.sub()
	a, b := h.open(t, sub), h.open(t, sub)
	in := newInbox()
	consume(t, a, sub, in.always(nil))
	consume(t, b, sub, in.always(nil))
	publish(t, a, messages(sub, 60)...)
	in.take(t, 60)
	only(t, h, a, sub, in)
}

// copies also holds an adapter to this: when two subscriptions retry the same message, neither copy is taken for the other.
func copies(s scene) {
	t, h := s.t, s.h
	one, two := h.sub(), h.sub()
	two.Name = "audit"
	b := h.open(t, one, two)
	publish(t, b, message(one, "a"))
	boxes := map[string]inbox{}
	for _, sub := range []broker.Subscription{one, two} {
		in := newInbox()
		boxes[sub.Name] = in
		consume(t, b, sub, func(_ context.Context, d broker.Delivery) error {
			in <- d
			if d.Attempt == 1 && d.ID == "a" {
				return broker.Retry(0, errTest)
			}
			return nil
		})
	}
	for name, in := range boxes {
		if got := in.take(t, 2); got["a/2"].ID != "a" {
			t.Errorf("%s got %v", name, got)
		}
	}
	pass(t, h.Lease+h.Lease/2)
	publish(t, b, message(one, "last"))
	for name, in := range boxes {
		if d := in.next(t); d.ID != "last" {
			t.Errorf("%s got %s once more", name, d.ID)
		}
	}
}

func types(s scene) {
	t, h := s.t, s.h
	exact := h.sub()
	wild := broker.Subscription{Name: "audit", Type: "devices.*", Lease: h.Lease}
	other := broker.Subscription{Name: "importer", Type: "submissions.due.v1", Lease: h.Lease}
	b := h.open(t, exact, wild, other)
	in := map[string]inbox{}
	for _, sub := range []broker.Subscription{exact, wild, other} {
		in[sub.Type] = newInbox()
		consume(t, b, sub, in[sub.Type].always(nil))
	}
	for _, typ := range []string{"devices", "devices.collected", "devices.collected.v1", "submissions.due.v1", "devices.ready.v1"} {
		m := message(exact, "id-of-"+typ)
		m.Type = typ
		publish(t, b, m)
	}
	if d := in[exact.Type].next(t); d.Type != exact.Type {
		t.Errorf("got %s", d.Type)
	}
	got := in[wild.Type].take(t, 3)
	for _, typ := range []string{"devices.collected", "devices.collected.v1", "devices.ready.v1"} {
		if got["id-of-"+typ+"/1"].Type != typ {
			t.Errorf("the wild subscription did not get %s", typ)
		}
	}
	if d := in[other.Type].next(t); d.Type != other.Type {
		t.Errorf("got %s", d.Type)
	}
	for _, box := range in {
		box.empty(t)
	}
}

func concurrency(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	sub.Concurrency = 3
	b := h.open(t, sub)
	publish(t, b, messages(sub, 7)...)
	var mu sync.Mutex
	working, most := 0, 0
	together := make(chan struct{})
	in := newInbox()
	consume(t, b, sub, func(ctx context.Context, d broker.Delivery) error {
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
		return nil
	})
	receive(t, together, "three handlers at once")
	in.take(t, 7)
	mu.Lock()
	defer mu.Unlock()
	if most > sub.Concurrency {
		t.Errorf("%d handlers at once", most)
	}
}

func slowHandler(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b, other := h.open(t, sub), h.open(t, sub)
	publish(t, b, message(sub, "slow"))
	in := newInbox()
	slow := func(_ context.Context, d broker.Delivery) error {
		in <- d
		if d.ID == "slow" {
			<-time.After(2 * h.Lease)
		}
		return nil
	}
	consume(t, b, sub, slow)
	in.next(t)
	consume(t, other, sub, slow)
	pass(t, 2*h.Lease)
	only(t, h, b, sub, in)
}

func cancelGivesBack(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	publish(t, b, message(sub, "a"))
	started, returned := make(chan struct{}, 100), make(chan struct{}, 100)
	c := consume(t, b, sub, func(ctx context.Context, _ broker.Delivery) error {
		started <- struct{}{}
		<-ctx.Done()
		returned <- struct{}{}
		return ctx.Err()
	})
	receive(t, started, "the handler")
	c.stop()
	select {
	case <-returned:
	default:
		t.Error("Consume returned before the handler")
	}
	in := newInbox()
	consume(t, b, sub, in.always(nil))
	if d := in.next(t); d.ID != "a" || d.Attempt != 1 {
		t.Errorf("%s came as attempt %d: being told to stop is no attempt", d.ID, d.Attempt)
	}
}

func cancelDrains(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	publish(t, b, message(sub, "a"))
	started := make(chan struct{}, 100)
	c := consume(t, b, sub, func(ctx context.Context, _ broker.Delivery) error {
		started <- struct{}{}
		<-ctx.Done()
		return nil // finished all the same
	})
	receive(t, started, "the handler")
	c.stop()
	in := newInbox()
	consume(t, b, sub, in.always(nil))
	only(t, h, b, sub, in)
}

func endedContext(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	publish(t, b, message(sub, "a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := newInbox()
	if err := b.Consume(ctx, sub, in.always(nil)); err != nil {
		t.Error(err)
	}
	in.empty(t)
	consume(t, b, sub, in.always(nil))
	in.take(t, 1)
}
