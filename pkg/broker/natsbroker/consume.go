package natsbroker

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
)

const (
	pollWait = time.Second // one pull; also the longest time an idle Consume takes to stop
	// unacknowledged messages of a subscription, over all processes, before the server falls silent
	minAckPending = 1024
)

// share is one process's part in a subscription.
type share struct {
	*Broker
	place
	idle    time.Time // since when nothing came
	stalled error     // what the watchdog found
	cons    jetstream.Consumer
}

// Consume pulls as many messages as handlers are free, so that none waits in a buffer while its lease runs.
func (b *Broker) Consume(ctx context.Context, sub broker.Subscription, h broker.Handler) error {
	sub, err := sub.Normal()
	if err != nil {
		return err
	}
	s := &share{Broker: b, place: placeOf(sub), idle: b.Now()}
	adapter.NewConsumer(sub, h, &b.state, b.Logger, b.Now).Run(ctx, map[string]adapter.Receive{s.durable: s.receive})
	b.state.Clear(s.durable)
	return nil
}

// receive pulls once, and looks up the consumer again after an error.
func (s *share) receive(ctx context.Context, n int, give func(adapter.Held)) error {
	err := s.subscribe(ctx)
	if err == nil {
		err = s.pull(ctx, n, give)
	}
	if err != nil {
		s.cons = nil
	}
	return err
}

// subscribe makes sure that the durable consumer exists.
func (s *share) subscribe(ctx context.Context) error {
	if s.cons != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	if err := s.setUp(ctx, false); err != nil {
		return err
	}
	if broker.IsInbound(s.Type) {
		if err := s.provide(ctx, s.queueConfig(s.place), true); err != nil {
			return err
		}
	}
	cons, err := s.js.CreateOrUpdateConsumer(ctx, s.stream, jetstream.ConsumerConfig{
		Durable:        s.durable,
		FilterSubjects: []string{s.subject, s.own},
		DeliverPolicy:  jetstream.DeliverAllPolicy,
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        s.Lease,
		MaxDeliver:     -1,
		MaxAckPending:  max(minAckPending, 4*s.Concurrency),
	})
	if err != nil {
		return err
	}
	s.cons = cons
	return nil
}

// pull asks for n messages, gives out those that are due, and returns when n came or nothing did for a while. Once ctx
// has ended it gives back whatever still comes.
func (s *share) pull(ctx context.Context, n int, give func(adapter.Held)) error {
	if n == 0 {
		return nil
	}
	batch, err := s.cons.Fetch(n, jetstream.FetchMaxWait(pollWait))
	if err != nil {
		return err
	}
	came := 0
	for msg := range batch.Messages() {
		came++
		d := s.delivery(msg)
		early := d.NotBefore.Sub(s.Now())
		switch {
		case ctx.Err() != nil:
			_ = msg.Nak() // if lost, it comes after the lease instead
		case early > 0:
			_ = msg.NakWithDelay(early)
		default:
			give(s.held(d, msg))
		}
	}
	s.watch(ctx, came)
	return batch.Error()
}
