package brokertest

import (
	"bytes"
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

var inbound = map[string]func(scene){
	"a foreign message and its redelivery":   foreignMessage,
	"inbound queues are apart":               inboundApart,
	"another attempt at a foreign message":   foreignRetry,
	"a foreign message dies and is replayed": foreignDeadLetter,
}

// queue is an inbound queue's subscription.
func (h Harness) queue(tenant, source string) broker.Subscription {
	return broker.Subscription{Name: "collector", Type: broker.InboundType(tenant, source), Lease: h.Lease}
}

// opened returns a client and makes sure that the queues exist: those of some backends do from their first Consume on.
func (s scene) opened(subs ...broker.Subscription) broker.Broker {
	s.t.Helper()
	if s.h.Foreign == nil {
		s.t.Fatal("the harness has no foreign sender")
	}
	return s.h.open(s.t, subs...)
}

func isForeign(t *testing.T, d broker.Delivery, sub broker.Subscription, id, body string) {
	t.Helper()
	want := broker.InboundMessage(sub.Type, id, []byte(body))
	if d.Type != want.Type || d.Tenant != want.Tenant || d.Headers[broker.AttrID] != id ||
		!bytes.Equal(d.Body, want.Body) {
		t.Errorf("%+v, want %+v", d.Message, want)
	}
}

func foreignMessage(s scene) {
	t := s.t
	h := s.h
	sub := h.queue("contoso", "oem-a")
	sub.Concurrency = 2
	b := s.opened(sub)
	in := newInbox()
	c := consume(t, b, sub, func(ctx context.Context, d broker.Delivery) broker.Outcome {
		in <- d
		<-ctx.Done()
		return broker.Release()
	})
	h.Foreign(t, sub.Type, "order 1/ä", []byte("\x00 no JSON"))
	h.Foreign(t, sub.Type, "", []byte("{}"))
	first := in.take(t, 2)
	c.stop() // gives both back
	consume(t, b, sub, in.always(broker.Acknowledge()))
	if diff := cmp.Diff(first, in.take(t, 2)); diff != "" {
		t.Errorf("a redelivery differs: %s", diff)
	}
	for _, d := range first {
		id := "order 1/ä"
		if string(d.Body) == "{}" {
			if id = d.Headers[broker.AttrID]; id == "" {
				t.Error("a message without an id was given none")
			}
		}
		isForeign(t, d, sub, id, string(d.Body))
		if d.Attempt != 1 || d.Published.IsZero() || !broker.ValidID(d.ID) {
			t.Errorf("%+v", d)
		}
	}
}

// Senders choose ids without knowing one another's.
func inboundApart(s scene) {
	t := s.t
	h := s.h
	subs := []broker.Subscription{
		h.queue("contoso", "oem-a"),
		h.queue("contoso", "oem-b"),
		h.queue("fabrikam", "oem-a"),
	}
	b := s.opened(subs...)
	boxes := make([]inbox, len(subs))
	var running []*consumption
	for i, sub := range subs {
		boxes[i] = newInbox()
		running = append(running, consume(t, b, sub, boxes[i].always(deadLetter("no JSON"))))
		h.Foreign(t, sub.Type, "1", []byte("{}"))
	}
	for i, sub := range subs {
		isForeign(t, boxes[i].next(t), sub, "1", "{}")
	}
	for i, c := range running {
		c.stop()
		boxes[i].empty(t)
	}
	if got := deadIn(t, b); len(got) != len(subs) {
		t.Errorf("%d dead letters of %d: %v", len(got), len(subs), got)
	}
}

func foreignRetry(s scene) {
	t := s.t
	h := s.h
	sub := h.queue("contoso", "oem-a")
	b := s.opened(sub)
	in := newInbox()
	c := consume(t, b, sub, func(_ context.Context, d broker.Delivery) broker.Outcome {
		in <- d
		if d.Attempt < 3 {
			return broker.RetryAfter(0)
		}
		return broker.Acknowledge()
	})
	h.Foreign(t, sub.Type, "1", []byte("{}"))
	id := broker.InboundMessage(sub.Type, "1", []byte("{}")).ID
	for attempt := 1; attempt <= 3; attempt++ {
		d := in.next(t)
		isForeign(t, d, sub, "1", "{}")
		if d.Attempt != attempt || d.ID != id {
			t.Errorf("%+v, want attempt %d of %s", d, attempt, id)
		}
	}
	c.stop()
	in.empty(t)
}

func foreignDeadLetter(s scene) {
	t := s.t
	h := s.h
	sub := h.queue("contoso", "oem-a")
	other := h.queue("contoso", "oem-b")
	b := s.opened(sub, other)
	in := newInbox()
	elsewhere := newInbox()
	c := consume(t, b, sub, in.always(deadLetter("no JSON")))
	consume(t, b, other, elsewhere.always(broker.Acknowledge()))
	h.Foreign(t, sub.Type, "1", []byte("{}"))
	d := in.next(t)
	c.stop()
	p := deadIn(t, b)["collector/"+d.ID]
	isForeign(t, broker.Delivery{Message: p.Message}, sub, "1", "{}")
	if p.Reason != fault.MessageMalformed {
		t.Errorf("%+v", p)
	}
	consume(t, b, sub, in.always(broker.Acknowledge()))
	for range 2 { // the second finds the message gone
		if err := b.Replay(t.Context(), "collector", d.ID, "fresh"); err != nil && fault.KindOf(err) != fault.NotFound {
			t.Fatal(err)
		}
	}
	back := in.next(t)
	isForeign(t, back, sub, "1", "{}")
	if back.ID != "fresh" || back.Attempt != 1 {
		t.Errorf("%+v", back)
	}
	if left := deadIn(t, b); len(left) != 0 {
		t.Errorf("still dead: %v", left)
	}
	elsewhere.empty(t)
}
