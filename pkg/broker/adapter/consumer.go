package adapter

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"taxiway.example/pkg/broker"
)

// Consumer is one Consume: it gives what the adapter receives to the handler, and settles it.
type Consumer struct {
	broker.Subscription
	log        *slog.Logger
	now        func() time.Time
	conditions *Conditions
	handler    broker.Handler
	handlers   places
	running    sync.WaitGroup
}

// NewConsumer returns a consumer for a normal subscription.
func NewConsumer(
	sub broker.Subscription,
	h broker.Handler,
	c *Conditions,
	log *slog.Logger,
	now func() time.Time,
) *Consumer {
	return &Consumer{
		Subscription: sub, handler: h, handlers: newPlaces(sub.Concurrency), conditions: c, now: now,
		log: log.With("subscription", sub.Name, "type", sub.Type),
	}
}

// Receive waits for up to n messages and gives each away as it comes. No message and no error is what a quiet
// subscription has.
type Receive func(ctx context.Context, n int, give func(Held)) error

// Run receives until ctx ends and every handler has returned. Several receive side by side when the messages of a
// subscription lie in several places, named from. Each receives as many messages as handlers are free; what comes over
// and above waits for a handler, and its lease is kept.
func (c *Consumer) Run(ctx context.Context, from map[string]Receive) {
	for name, receive := range from {
		c.running.Go(func() { c.receive(ctx, name, receive) })
	}
	c.running.Wait()
}

func (c *Consumer) receive(ctx context.Context, from string, receive Receive) {
	what := "receiving from " + from
	defer c.conditions.Clear(what)
	free := newPlaces(c.Concurrency)
	for failures := 0; ctx.Err() == nil; {
		n := free.take(ctx)
		err := receive(ctx, n, func(d Held) {
			n--
			c.running.Go(func() {
				defer free.give(1)
				c.handle(ctx, d)
			})
		})
		free.give(n)
		if err == nil {
			failures = 0
			c.conditions.Clear(what)
			continue
		}
		if failures++; failures > 1 && ctx.Err() == nil { // one is what every restart of the broker costs
			c.interrupted(ctx, what, from, err)
		}
		again(ctx, failures)
	}
}

// interrupted says what is wrong. An inbound queue concerns that source alone: the others do not lose their process
// over it.
func (c *Consumer) interrupted(ctx context.Context, what, from string, err error) {
	if !broker.IsInbound(c.Type) {
		c.conditions.Note(what, err, c.now())
	}
	c.log.WarnContext(ctx, "consuming was interrupted", "from", from, "error", err)
}

func (c *Consumer) handle(ctx context.Context, d Held) {
	l := keep(ctx, d, c.now)
	defer l.end()
	if d.Aside {
		l.settle(ctx, broker.Acknowledge(), c.log)
		return
	}
	select {
	case <-c.handlers:
		defer c.handlers.give(1)
	case <-l.ctx.Done():
	}
	if l.ctx.Err() != nil {
		l.settle(ctx, broker.Release(), c.log)
		return
	}
	l.settle(ctx, c.handler(l.ctx, d.Delivery), c.log) //nolint:contextcheck // l.ctx descends from ctx
}

// places holds one value for each place that is free.
type places chan struct{}

func newPlaces(n int) places {
	p := make(places, n)
	p.give(n)
	return p
}

// take waits for a free place and takes all that are free; it returns 0 when ctx ends.
func (p places) take(ctx context.Context) int {
	select {
	case <-p:
	case <-ctx.Done():
		return 0
	}
	for n := 1; ; n++ {
		select {
		case <-p:
		default:
			return n
		}
	}
}

func (p places) give(n int) {
	for range n {
		p <- struct{}{}
	}
}
