package sbbroker

import (
	"context"
	"sync"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

// share is one process's part in a subscription. Inlets receive and keep the locks, workers handle.
type share struct {
	*Broker
	sub     broker.Subscription
	demand  *demand
	ready   chan *delivery // due, for whichever worker is free
	holds   chan struct{}  // one for each delivery that waits for its time
	running sync.WaitGroup
}

// Consume receives as many messages as handlers are free, so that none waits long while its lock runs.
func (b *Broker) Consume(ctx context.Context, sub broker.Subscription, h broker.Handler) error {
	return b.consume(ctx, sub, func(s *share) {
		for d := s.next(ctx); d != nil; d = s.next(ctx) {
			d.settle(ctx, h(d.ctx, d.Delivery))
			s.demand.give(1)
		}
	})
}

// consume runs inlets and workers until ctx ends and every handler has returned.
func (b *Broker) consume(ctx context.Context, sub broker.Subscription, work func(*share)) error {
	sub, err := sub.Normal()
	if err != nil {
		return err
	}
	sources := b.sources(sub)
	if len(sources) == 0 {
		return fault.Newf(fault.BrokerUnavailable, "the topology has no subscription %s of %s", sub.Name, sub.Type)
	}
	s := &share{
		Broker: b, sub: sub, demand: newDemand(sub.Concurrency), ready: make(chan *delivery),
		holds: make(chan struct{}, b.MaxHeld),
	}
	for _, src := range sources {
		in := newInlet(s, src)
		defer in.end(ctx)
		s.running.Go(func() { in.run(ctx) })
	}
	for range sub.Concurrency {
		s.running.Go(func() { work(s) })
	}
	s.running.Wait()
	return nil
}

// next waits for a delivery; it returns nil when ctx ends. What lost its lock while it waited is nobody's business any more.
func (s *share) next(ctx context.Context) *delivery {
	for {
		select {
		case d := <-s.ready:
			if d.ctx.Err() == nil {
				return d
			}
			s.giveBack(ctx, d)
		case <-ctx.Done():
			return nil
		}
	}
}

// hand gives a delivery to a worker, or back to the broker when there is none any more.
func (s *share) hand(ctx context.Context, d *delivery) {
	select {
	case s.ready <- d:
	case <-d.ctx.Done():
		s.giveBack(ctx, d)
	}
}

func (s *share) giveBack(ctx context.Context, d *delivery) {
	d.settle(ctx, broker.Release())
	s.demand.give(1)
}

// hold keeps a delivery that came too early: on purpose, or because clocks differ. It occupies a place of its own, no worker's;
// when there is none left, nothing more is received.
func (s *share) hold(ctx context.Context, d *delivery) {
	s.demand.give(1)
	select {
	case s.holds <- struct{}{}:
	case <-d.ctx.Done():
		d.settle(ctx, broker.Release())
		return
	}
	s.running.Go(func() {
		wait(d.ctx, min(d.NotBefore.Sub(s.Now()), s.HoldLimit))
		<-s.holds
		s.demand.take(1)
		s.hand(ctx, d)
	})
}
