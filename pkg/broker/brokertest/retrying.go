package brokertest

import (
	"context"
	"time"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
)

var retrying = map[string]func(scene){
	"a retry is not early and counts":     retryNotEarly,
	"a pause occupies no handler":         pauseWithoutHandler,
	"attempts survive a restart":          attemptsSurvive,
	"a retry keeps everything but itself": retryKeeps,
}

func retryNotEarly(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	publish(t, b, message(sub, "a"))
	in := newInbox()
	const pause = 700 * time.Millisecond
	returned := make(chan time.Time, 10)
	consume(t, b, sub, func(_ context.Context, d broker.Delivery) broker.Outcome {
		in <- d
		returned <- time.Now()
		if d.Attempt < 3 {
			return broker.RetryAfter(pause)
		}
		return broker.Acknowledge()
	})
	var last time.Time
	for attempt := 1; attempt <= 3; attempt++ {
		d := in.next(t)
		at := awaittest.Receive(t, "the handler's end", returned)
		if d.Attempt != attempt {
			t.Errorf("attempt %d, want %d", d.Attempt, attempt)
		}
		if attempt > 1 && at.Sub(last) < pause-time.Millisecond { // brokers count milliseconds
			t.Errorf("attempt %d came after %s, %s were asked for", attempt, at.Sub(last), pause)
		}
		last = at
	}
	only(t, h, b, sub, in)
}

func pauseWithoutHandler(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	in := newInbox()
	consume(t, b, sub, func(_ context.Context, d broker.Delivery) broker.Outcome {
		in <- d
		if d.ID == "failing" && d.Attempt == 1 {
			return broker.RetryAfter(time.Hour)
		}
		return broker.Acknowledge()
	})
	publish(t, b, message(sub, "failing"))
	in.next(t)
	publish(t, b, messages(sub, 5)...)
	in.take(t, 5)
	in.empty(t)
}

func attemptsSurvive(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	publish(t, b, message(sub, "a"))
	in := newInbox()
	c := consume(t, b, sub, in.always(broker.RetryAfter(time.Second)))
	in.next(t)
	in.next(t)
	c.stop()
	h.Restart(t)
	consume(t, h.open(t, sub), sub, in.always(broker.Acknowledge()))
	if d := in.next(t); d.ID != "a" || d.Attempt < 3 {
		t.Errorf("%s came back as attempt %d", d.ID, d.Attempt)
	}
}

func retryKeeps(s scene) {
	t := s.t
	h := s.h
	sub := h.sub()
	b := h.open(t, sub)
	m := message(sub, "a")
	m.Tenant = "Übermieter & Söhne"
	m.Headers["odd"] = " two\r\nlines\t%\"😀"
	publish(t, b, m)
	in := newInbox()
	consume(t, b, sub, func(_ context.Context, d broker.Delivery) broker.Outcome {
		in <- d
		if d.Attempt < 3 {
			return broker.RetryAfter(0)
		}
		return broker.Acknowledge()
	})
	first := in.next(t)
	for range 2 {
		d := in.next(t)
		if d.ID != m.ID || d.Type != m.Type || d.Tenant != m.Tenant || string(d.Body) != string(m.Body) ||
			d.Headers["odd"] != m.Headers["odd"] {
			t.Errorf("%+v", d)
		}
		if !first.Published.IsZero() && !d.Published.Equal(first.Published) {
			t.Errorf("published %s, at first %s", d.Published, first.Published)
		}
	}
}
