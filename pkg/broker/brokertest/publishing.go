package brokertest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

var publishing = map[string]func(scene){
	"publish and consume":             publishAndConsume,
	"a duplicate id is stored once":   duplicateID,
	"headers and bodies come through": roundTrip,
	"limits of size":                  limits,
	"malformed messages are refused":  refused,
	"nothing is delivered early":      notBefore,
	"a canceled publish says so":      canceledPublish,
	"health":                          health,
}

func publishAndConsume(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	sub.Concurrency = 4
	b := h.open(t, sub)
	want := messages(sub, 50)
	publish(t, b, want...)
	in := newInbox()
	c := consume(t, b, sub, in.always(broker.Acknowledge()))
	got := in.take(t, len(want))
	for _, m := range want {
		d := got[m.ID+"/1"]
		if diff := cmp.Diff(m, d.Message, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
		if age := time.Since(d.Published); !d.Published.IsZero() && (age < -time.Hour || age > time.Hour) {
			t.Errorf("published at %s", d.Published)
		}
	}
	c.stop()
	in.empty(t)
}

func duplicateID(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	other := h.open(t, sub)
	publish(t, b, message(sub, "a"), message(sub, "b"), message(sub, "a"))
	publish(t, b, message(sub, "a"))
	publish(t, other, message(sub, "b"))
	in := newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	in.take(t, 2)
	only(t, h, b, sub, in)
}

// roundTrip is the law: what was published is what is delivered, byte by byte.
func roundTrip(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	in := newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		want := broker.Message{
			ID:   fmt.Sprintf("m%d-%s", n, rapid.StringMatching(`[!-~]{0,60}`).Draw(rt, "id")),
			Type: sub.Type, Lane: sub.Lane,
			Tenant: rapid.StringN(0, 20, 60).Draw(rt, "tenant"),
			Headers: rapid.MapOfN(rapid.StringMatching(`[a-z0-9][a-z0-9-]{0,20}`), rapid.StringN(0, 50, 200), 0, 8).
				Draw(rt, "headers"),
			Body: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, "body"),
		}
		publish(t, b, want)
		if diff := cmp.Diff(want, in.next(t).Message, cmpopts.EquateEmpty()); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func limits(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	largest := message(sub, "largest")
	largest.Body = make([]byte, broker.MaxBody)
	tooLarge := message(sub, "too-large")
	tooLarge.Body = make([]byte, broker.MaxBody+1)
	if err := b.Publish(t.Context(), message(sub, "beside"), tooLarge); fault.CodeOf(err) != fault.MessageTooLarge {
		t.Errorf("got %v", err)
	}
	publish(t, b, largest)
	in := newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	if d := in.next(t); d.ID != largest.ID || len(d.Body) != broker.MaxBody {
		t.Errorf("got %s with %d bytes: a refused call stores nothing", d.ID, len(d.Body))
	}
}

func refused(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	wild := message(sub, "a")
	wild.Type = "devices.>"
	for name, m := range map[string]broker.Message{"no id": message(sub, ""), "odd type": wild} {
		if err := b.Publish(t.Context(), m); fault.CodeOf(err) != fault.MessageMalformed {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := b.Consume(t.Context(), broker.Subscription{Name: "x y", Type: "a"}, nil); fault.CodeOf(
		err,
	) != fault.MessageMalformed {
		t.Errorf("odd subscription: got %v", err)
	}
	if err := b.Publish(t.Context()); err != nil {
		t.Errorf("publishing nothing: %v", err)
	}
}

func notBefore(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	in := newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	soon := message(sub, "soon")
	later := message(sub, "later")
	soon.NotBefore = time.Now().Add(1500 * time.Millisecond)
	later.NotBefore = time.Now().Add(time.Hour)
	publish(t, b, later, soon, message(sub, "now"))
	for range 2 {
		d := in.next(t)
		if early := time.Until(soon.NotBefore); d.ID != "now" && (d.ID != "soon" || early > 0 || d.Attempt != 1) {
			t.Errorf("%s (attempt %d) came %s early", d.ID, d.Attempt, early)
		}
	}
	in.empty(t)
}

func canceledPublish(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Publish(ctx, messages(sub, 300)...); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	publish(t, b, messages(sub, 300)...)
	in := newInbox()
	sub.Concurrency = 8
	consume(t, b, sub, in.always(broker.Acknowledge()))
	in.take(t, 300)
}

func health(s scene) {
	t := s.t
	h := s.h
	b := h.open(t)
	if err := b.Health(t.Context()); err != nil {
		t.Error(err)
	}
}
