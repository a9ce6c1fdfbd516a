package brokertest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

var parking = map[string]func(scene){
	"a dead letter says why":              parkedSaysWhy,
	"a crash between park and ack":        crashWhileParking,
	"unpark goes where it failed":         unpark,
	"unpark again, park again":            unparkAgain,
	"unpark of what is not there":         unparkUnknown,
	"browse walks through all, in order":  browse,
	"what cannot be understood is parked": malformedIsParked,
}

func deadLetter(detail string) error {
	return broker.DeadLetter(fault.New(fault.MessageMalformed, detail))
}

// parked returns what is parked, by subscription and id.
func parked(t *testing.T, b broker.Parking) map[string]broker.Parked {
	t.Helper()
	got := map[string]broker.Parked{}
	err := b.Browse(t.Context(), func(p broker.Parked) bool {
		key := p.Subscription + "/" + p.ID
		if _, twice := got[key]; twice {
			t.Errorf("%s is parked twice", key)
		}
		got[key] = p
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// park publishes the messages and gives them up.
func park(t *testing.T, b broker.Broker, sub broker.Subscription, m ...broker.Message) {
	t.Helper()
	in := newInbox()
	c := consume(t, b, sub, in.always(deadLetter("no JSON")))
	publish(t, b, m...)
	in.take(t, len(m))
	c.stop()
}

func parkedSaysWhy(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	m := message(sub, "a")
	m.Tenant, m.Headers["odd"] = "Übermieter", "\r\n😀"
	publish(t, b, m)
	in := newInbox()
	c := consume(t, b, sub, func(_ context.Context, d broker.Delivery) error {
		in <- d
		if d.Attempt < 2 {
			return broker.Retry(0, errTest)
		}
		return deadLetter("größer als erlaubt")
	})
	in.take(t, 2)
	c.stop()
	got := parked(t, b)
	p := got["importer/a"]
	if len(got) != 1 || p.Reason != string(fault.MessageMalformed) || p.Detail != "größer als erlaubt" || p.Attempts != 2 {
		t.Fatalf("%+v", got)
	}
	if p.Type != m.Type || p.Tenant != m.Tenant || string(p.Body) != string(m.Body) || p.Headers["odd"] != m.Headers["odd"] {
		t.Errorf("%+v", p.Message)
	}
	if age := time.Since(p.At); age < -time.Hour || age > time.Hour {
		t.Errorf("parked at %s", p.At)
	}
	in = newInbox()
	consume(t, b, sub, in.always(nil))
	only(t, h, b, sub, in)
}

func crashWhileParking(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	if h.Dying == nil {
		if !b.Features().NativeParking {
			t.Fatal("the harness cannot die between park and ack, and the features do not say that parking is atomic")
		}
		t.Log("parking is atomic here")
	} else {
		dying := closing(t, h.Dying(t, sub))
		in := newInbox()
		publish(t, dying, message(sub, "a"))
		c := consume(t, dying, sub, in.always(deadLetter("no JSON")))
		in.next(t)
		c.stop()
	}
	in := newInbox()
	c := consume(t, b, sub, in.always(deadLetter("no JSON")))
	if h.Dying == nil {
		publish(t, b, message(sub, "a"))
	}
	in.next(t) // the lease of the dead process has run out
	c.stop()
	if got := parked(t, b); len(got) != 1 {
		t.Errorf("%d dead letters of one message", len(got))
	}
	in = newInbox()
	consume(t, b, sub, in.always(nil))
	only(t, h, b, sub, in)
}

func unpark(s scene) {
	t, h := s.t, s.h
	sub, other := h.sub(), h.sub()
	other.Name = "audit"
	b := h.open(t, sub, other)
	untouched := newInbox()
	consume(t, b, other, untouched.always(nil))
	m := message(sub, "a")
	park(t, b, sub, m)
	untouched.take(t, 1)
	if err := b.Unpark(t.Context(), sub.Name, "a", "a-r1"); err != nil {
		t.Fatal(err)
	}
	in := newInbox()
	consume(t, b, sub, in.always(nil))
	d := in.next(t)
	if d.ID != "a-r1" || d.Attempt != 1 || d.Type != m.Type || d.Tenant != m.Tenant || string(d.Body) != string(m.Body) || d.Headers["id"] != "a" {
		t.Errorf("%+v", d)
	}
	if got := parked(t, b); len(got) != 0 {
		t.Errorf("still parked: %v", got)
	}
	only(t, h, b, sub, in)
	if d := untouched.next(t); d.ID != "the-last" {
		t.Errorf("the other subscription got %s as well", d.ID)
	}
}

func unparkAgain(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	park(t, b, sub, message(sub, "a"))
	for round := 1; round <= 3; round++ {
		id, next := "a", fmt.Sprintf("a-r%d", round)
		if round > 1 {
			id = fmt.Sprintf("a-r%d", round-1)
		}
		if err := b.Unpark(t.Context(), sub.Name, id, next); err != nil {
			t.Fatal(err)
		}
		if err := b.Unpark(t.Context(), sub.Name, id, next); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a second time: %v", err)
		}
		in := newInbox()
		c := consume(t, b, sub, in.always(deadLetter("still no JSON")))
		if d := in.next(t); d.ID != next || d.Attempt != 1 {
			t.Errorf("%s, attempt %d", d.ID, d.Attempt)
		}
		c.stop()
		if got := parked(t, b); len(got) != 1 || got["importer/"+next].ID != next {
			t.Errorf("parked: %v", got)
		}
	}
}

func unparkUnknown(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	park(t, b, sub, message(sub, "a"))
	for _, tc := range [][2]string{{sub.Name, "b"}, {"nobody", "a"}, {sub.Name, "a.*"}} {
		if err := b.Unpark(t.Context(), tc[0], tc[1], "new"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%v: %v", tc, err)
		}
	}
	if err := b.Unpark(t.Context(), sub.Name, "a", "a"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("the old id: %v", err)
	}
	if got := parked(t, b); len(got) != 1 {
		t.Errorf("parked: %v", got)
	}
}

func browse(s scene) {
	t, h := s.t, s.h
	const n = 230 // more than any page
	sub := h.sub()
	b := h.open(t, sub)
	for _, m := range messages(sub, 3) {
		park(t, b, sub, m)
	}
	many := sub
	many.Concurrency = 8
	rest := messages(sub, n)[3:]
	park(t, b, many, rest...)
	for range 2 { // browsing removes nothing
		if got := parked(t, b); len(got) != n {
			t.Fatalf("%d parked, want %d", len(got), n)
		}
	}
	var first []string
	err := b.Browse(t.Context(), func(p broker.Parked) bool {
		first = append(first, p.ID)
		return len(first) < 3
	})
	if got := strings.Join(first, " "); err != nil || got != "m000 m001 m002" {
		t.Errorf("%s, %v", got, err)
	}
}

// malformedIsParked: bytes that nobody understands reach the handler, and can be looked at afterwards.
func malformedIsParked(s scene) {
	t, h := s.t, s.h
	sub := h.sub()
	b := h.open(t, sub)
	bodies := map[string]string{"empty": "", "binary": "\x00\xff\r\n\r\n", "text": "devices;collected", "half": `{"devices":["`}
	var list []broker.Message
	for id, body := range bodies {
		list = append(list, broker.Message{ID: id, Type: sub.Type, Body: []byte(body)})
	}
	park(t, b, sub, list...)
	got := parked(t, b)
	for id, body := range bodies {
		if p := got["importer/"+id]; p.ID != id || string(p.Body) != body {
			t.Errorf("%s: %+v", id, p)
		}
	}
}
