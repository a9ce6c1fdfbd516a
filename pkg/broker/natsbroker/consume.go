package natsbroker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
)

const (
	pollWait      = time.Second // one pull; also the longest time an idle Consume takes to stop
	minAckPending = 1024        // unacknowledged messages of a subscription, over all processes, before the server falls silent
)

// share is one process's part in a subscription.
type share struct {
	*Broker
	sub     broker.Subscription
	durable string
	slots   chan struct{}
	running sync.WaitGroup
	idle    time.Time // since when nothing came
	cons    jetstream.Consumer
}

// Consume pulls as many messages as handlers are free, so that none waits in a buffer while its lease runs.
func (b *Broker) Consume(ctx context.Context, sub broker.Subscription, h broker.Handler) error {
	return b.consume(ctx, sub, func(s *share) error {
		free := s.acquire(ctx)
		err := s.pull(ctx, free, pollWait, func(d *delivery) {
			free--
			s.running.Go(func() {
				defer s.release(1)
				d.settle(ctx, h(d.ctx, d.Delivery)) //nolint:contextcheck // d.ctx descends from ctx
			})
		})
		s.release(free)
		return err
	})
}

// consume runs round after round until ctx ends, mends what breaks, and waits for the handlers.
func (b *Broker) consume(ctx context.Context, sub broker.Subscription, round func(*share) error) error {
	sub, err := sub.Normal()
	if err != nil {
		return err
	}
	s := &share{Broker: b, sub: sub, durable: durable(sub), slots: make(chan struct{}, sub.Concurrency), idle: b.Now()}
	defer b.stalls.clear(s.durable)
	defer s.running.Wait()
	s.release(sub.Concurrency)
	pause := firstPause
	for ctx.Err() == nil {
		if err = s.subscribe(ctx); err == nil {
			err = round(s)
		}
		if err == nil {
			pause = firstPause
			continue
		}
		s.cons = nil // look for the consumer again
		if ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "consuming was interrupted", "subscription", s.durable, "error", err)
			wait(ctx, pause)
			pause = min(2*pause, longPause)
		}
	}
	return nil
}

// acquire waits for a free handler and takes all that are free; it returns 0 when ctx ends.
func (s *share) acquire(ctx context.Context) int {
	select {
	case <-s.slots:
	case <-ctx.Done():
		return 0
	}
	for n := 1; ; n++ {
		select {
		case <-s.slots:
		default:
			return n
		}
	}
}

func (s *share) release(n int) {
	for range n {
		s.slots <- struct{}{}
	}
}

// subscribe makes sure that the durable consumer exists.
func (s *share) subscribe(ctx context.Context) error {
	if s.cons != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	if err := s.restore(ctx); err != nil {
		return err
	}
	if err := s.openQueue(ctx); err != nil {
		return err
	}
	cons, err := s.js.CreateOrUpdateConsumer(ctx, s.home(s.durable), jetstream.ConsumerConfig{
		Durable:        s.durable,
		FilterSubjects: s.filters(s.sub),
		DeliverPolicy:  jetstream.DeliverAllPolicy,
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        s.sub.Lease,
		MaxDeliver:     -1,
		MaxAckPending:  max(minAckPending, 4*s.sub.Concurrency),
	})
	if err != nil {
		return err
	}
	s.cons = cons
	return nil
}

// pull asks for n messages, gives out those that are due, and returns when n came or wait is over. Once ctx has ended it
// gives back whatever still comes.
func (s *share) pull(ctx context.Context, n int, wait time.Duration, give func(*delivery)) error {
	if n == 0 {
		return nil
	}
	batch, err := s.cons.Fetch(n, jetstream.FetchMaxWait(wait))
	if err != nil {
		return err
	}
	came := 0
	for msg := range batch.Messages() {
		came++
		if ctx.Err() != nil {
			_ = msg.Nak() // lost naks cost a lease
			continue
		}
		if d := s.due(ctx, msg); d != nil {
			give(d)
		}
	}
	s.watch(ctx, came)
	return batch.Error()
}
