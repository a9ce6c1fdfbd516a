package brokertest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
)

func message(sub broker.Subscription, id string) broker.Message {
	return broker.Message{
		ID: id, Type: sub.Type, Lane: sub.Lane, Tenant: "contoso", Body: []byte("body of " + id),
		Headers: map[string]string{"specversion": "1.0", "id": id},
	}
}

func messages(sub broker.Subscription, n int) []broker.Message {
	list := make([]broker.Message, n)
	for i := range list {
		list[i] = message(sub, fmt.Sprintf("m%03d", i))
	}
	return list
}

func publish(t *testing.T, b broker.Publisher, m ...broker.Message) {
	t.Helper()
	ctx, cancel := awaittest.Context(t.Context())
	defer cancel()
	if err := b.Publish(ctx, m...); err != nil {
		t.Fatalf("publish: %v", err)
	}
}

// consumption is a Consume at work.
type consumption struct {
	t      *testing.T
	cancel context.CancelFunc
	ended  chan error
	once   sync.Once
}

// consume runs Consume until stop, or the end of the test.
func consume(t *testing.T, b broker.Consumer, sub broker.Subscription, h broker.Handler) *consumption {
	t.Helper()
	return background(t, func(ctx context.Context) error { return b.Consume(ctx, sub, h) })
}

func background(t *testing.T, run func(context.Context) error) *consumption {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	c := &consumption{t: t, cancel: cancel, ended: make(chan error, 1)}
	go func() { c.ended <- run(ctx) }()
	t.Cleanup(c.stop)
	return c
}

// stop ends it and waits until everything is drained.
func (c *consumption) stop() {
	c.t.Helper()
	c.once.Do(func() {
		c.cancel()
		if err := awaittest.Receive(c.t, "the end of consuming", c.ended); err != nil {
			c.t.Errorf("consuming ended with %v", err)
		}
	})
}

// pass lets time of the backend pass, where the passing itself is what is tested.
func pass(d time.Duration) { <-time.After(d) }

// inbox collects what a handler gets.
type inbox chan broker.Delivery

func newInbox() inbox { return make(inbox, 10_000) }

// always returns a handler that collects and answers o.
func (in inbox) always(o broker.Outcome) broker.Handler {
	return func(_ context.Context, d broker.Delivery) broker.Outcome {
		in <- d
		return o
	}
}

func (in inbox) next(t *testing.T) broker.Delivery {
	t.Helper()
	return awaittest.Receive(t, "a delivery", in)
}

// take returns n deliveries by id and attempt; it fails on any that comes twice.
func (in inbox) take(t *testing.T, n int) map[string]broker.Delivery {
	t.Helper()
	got := map[string]broker.Delivery{}
	for range n {
		d := in.next(t)
		key := fmt.Sprintf("%s/%d", d.ID, d.Attempt)
		if _, twice := got[key]; twice {
			t.Errorf("%s was delivered twice", key)
		}
		got[key] = d
	}
	return got
}

// empty fails when anything was delivered that nobody took.
func (in inbox) empty(t *testing.T) {
	t.Helper()
	for {
		select {
		case d := <-in:
			t.Errorf("%s (attempt %d) was delivered though nobody expected it", d.ID, d.Attempt)
		default:
			return
		}
	}
}

// only proves that nothing but the expected waits in a subscription: it lets all leases run out, sends one more message
// and takes deliveries until that one comes.
func only(t *testing.T, h Harness, b broker.Broker, sub broker.Subscription, in inbox) {
	t.Helper()
	pass(h.Lease + h.Lease/2)
	last := message(sub, "the-last")
	publish(t, b, last)
	if d := in.next(t); d.ID != last.ID {
		t.Errorf("%s (attempt %d) was delivered though nobody expected it", d.ID, d.Attempt)
	}
}
