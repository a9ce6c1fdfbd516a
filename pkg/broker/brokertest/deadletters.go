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

var deadLetters = map[string]func(scene){
	"a dead letter says why":            deadLetterSaysWhy,
	"a crash while dead-lettering":      crashWhileDeadLettering,
	"a replay goes where it failed":     replay,
	"replayed again, dead again":        replayAgain,
	"a replay of what is not there":     replayUnknown,
	"a deleted dead letter is gone":     deletion,
	"peek walks through all, in order":  peek,
	"what cannot be understood is dead": malformedIsDead,
}

func deadLetter(detail string) broker.Outcome {
	return broker.DeadLetter(fault.New(fault.MessageMalformed, detail))
}

// deadIn returns the dead letters, by subscription and id.
func deadIn(t *testing.T, b broker.DeadLetters) map[string]broker.DeadLettered {
	t.Helper()
	got := map[string]broker.DeadLettered{}
	err := b.Peek(t.Context(), func(p broker.DeadLettered) bool {
		key := p.Subscription + "/" + p.ID
		if _, twice := got[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		got[key] = p
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// kill publishes messages that become dead letters.
func kill(t *testing.T, b broker.Broker, sub broker.Subscription, m ...broker.Message) {
	t.Helper()
	in := newInbox()
	c := consume(t, b, sub, in.always(deadLetter("no JSON")))
	publish(t, b, m...)
	in.take(t, len(m))
	c.stop()
}

func deadLetterSaysWhy(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	m := message(sub, "a")
	m.Tenant = "Übermieter"
	m.Headers["odd"] = "\r\n😀"
	publish(t, b, m)
	in := newInbox()
	c := consume(t, b, sub, func(_ context.Context, d broker.Delivery) broker.Outcome {
		in <- d
		if d.Attempt < 2 {
			return broker.RetryAfter(0)
		}
		return deadLetter("größer als erlaubt")
	})
	in.take(t, 2)
	c.stop()
	got := deadIn(t, b)
	p := got["importer/a"]
	if len(got) != 1 || p.Reason != fault.MessageMalformed || p.Detail != "größer als erlaubt" || p.Attempts != 2 {
		t.Fatalf("%+v", got)
	}
	if p.Type != m.Type || p.Tenant != m.Tenant || string(p.Body) != string(m.Body) ||
		p.Headers["odd"] != m.Headers["odd"] {
		t.Errorf("%+v", p.Message)
	}
	if age := time.Since(p.At); age < -time.Hour || age > time.Hour {
		t.Errorf("dead since %s", p.At)
	}
	in = newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	only(t, h, b, sub, in)
}

func crashWhileDeadLettering(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	if h.Dying == nil {
		t.Log("dead-lettering is one call here")
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
	if got := deadIn(t, b); len(got) != 1 {
		t.Errorf("%d dead letters of one message", len(got))
	}
	in = newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	only(t, h, b, sub, in)
}

func replay(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	other := h.sub()
	other.Name = "audit"
	b := h.open(t, sub, other)
	untouched := newInbox()
	consume(t, b, other, untouched.always(broker.Acknowledge()))
	m := message(sub, "a")
	kill(t, b, sub, m)
	untouched.take(t, 1)
	if err := b.Replay(t.Context(), sub.Name, "a", "a-r1"); err != nil {
		t.Fatal(err)
	}
	in := newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	d := in.next(t)
	if d.ID != "a-r1" || d.Attempt != 1 || d.Type != m.Type || d.Tenant != m.Tenant ||
		string(d.Body) != string(m.Body) ||
		d.Headers["id"] != "a" {
		t.Errorf("%+v", d)
	}
	if got := deadIn(t, b); len(got) != 0 {
		t.Errorf("still dead: %v", got)
	}
	only(t, h, b, sub, in)
	if d := untouched.next(t); d.ID != "the-last" {
		t.Errorf("the other subscription got %s as well", d.ID)
	}
}

func replayAgain(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	kill(t, b, sub, message(sub, "a"))
	for round := 1; round <= 3; round++ {
		id := "a"
		next := fmt.Sprintf("a-r%d", round)
		if round > 1 {
			id = fmt.Sprintf("a-r%d", round-1)
		}
		if err := b.Replay(t.Context(), sub.Name, id, next); err != nil {
			t.Fatal(err)
		}
		if err := b.Replay(t.Context(), sub.Name, id, next); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a second time: %v", err)
		}
		in := newInbox()
		c := consume(t, b, sub, in.always(deadLetter("still no JSON")))
		if d := in.next(t); d.ID != next || d.Attempt != 1 {
			t.Errorf("%s, attempt %d", d.ID, d.Attempt)
		}
		c.stop()
		if got := deadIn(t, b); len(got) != 1 || got["importer/"+next].ID != next {
			t.Errorf("dead: %v", got)
		}
	}
}

func replayUnknown(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	kill(t, b, sub, message(sub, "a"))
	for _, tc := range [][2]string{{sub.Name, "b"}, {"nobody", "a"}, {sub.Name, "a.*"}} {
		if err := b.Replay(t.Context(), tc[0], tc[1], "new"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%v: %v", tc, err)
		}
	}
	if err := b.Replay(t.Context(), sub.Name, "a", "a"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("the old id: %v", err)
	}
	if got := deadIn(t, b); len(got) != 1 {
		t.Errorf("dead: %v", got)
	}
}

func deletion(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	kill(t, b, sub, message(sub, "a"), message(sub, "b"))
	if err := b.Delete(t.Context(), sub.Name, "a"); err != nil {
		t.Fatal(err)
	}
	for _, tc := range [][2]string{{sub.Name, "a"}, {"nobody", "b"}, {sub.Name, "c"}} {
		if err := b.Delete(t.Context(), tc[0], tc[1]); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%v: %v", tc, err)
		}
	}
	if got := deadIn(t, b); len(got) != 1 || got["importer/b"].ID != "b" {
		t.Errorf("left: %v", got)
	}
	in := newInbox()
	consume(t, b, sub, in.always(broker.Acknowledge()))
	only(t, h, b, sub, in)
}

func peek(s scene) {
	t := s.t
	h := s.h
	const n = 230 // more than any page
	sub := h.sub()
	b := h.open(t, sub)
	for _, m := range messages(sub, 3) {
		kill(t, b, sub, m)
	}
	many := sub
	many.Concurrency = 8
	rest := messages(sub, n)[3:]
	kill(t, b, many, rest...)
	for range 2 { // browsing removes nothing
		if got := deadIn(t, b); len(got) != n {
			t.Fatalf("%d dead letters, want %d", len(got), n)
		}
	}
	var first []string
	err := b.Peek(t.Context(), func(p broker.DeadLettered) bool {
		first = append(first, p.ID)
		return len(first) < 3
	})
	if got := strings.Join(first, " "); err != nil || got != "m000 m001 m002" {
		t.Errorf("%s, %v", got, err)
	}
}

// malformedIsDead: bytes that nobody understands reach the handler, and can be looked at afterwards.
func malformedIsDead(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	bodies := map[string]string{
		"empty":  "",
		"binary": "\x00\xff\r\n\r\n",
		"text":   "devices;collected",
		"half":   `{"devices":["`,
	}
	var list []broker.Message
	for id, body := range bodies {
		list = append(list, broker.Message{ID: id, Type: sub.Type, Body: []byte(body)})
	}
	kill(t, b, sub, list...)
	got := deadIn(t, b)
	for id, body := range bodies {
		if p := got["importer/"+id]; p.ID != id || string(p.Body) != body {
			t.Errorf("%s: %+v", id, p)
		}
	}
}
