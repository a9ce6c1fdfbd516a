package sbbroker

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
)

const (
	receiveRound = time.Minute // one call that waits for messages
	receiveMost  = 500         // messages of one call
	// without a message: receivers have been seen to fall silent (Azure/azure-sdk-for-go#18517)
	renewAfter = 10 * time.Minute
	leastLease = time.Second
	mostLease  = 5 * time.Minute
)

var errCut = errors.New("the connection was lost while receiving")

// receiver receives from one entity.
type receiver struct {
	*Broker
	source
	locks
	lease    time.Duration
	link     *azservicebus.Receiver // receives and does nothing else
	heard    time.Time              // of the namespace, for the last time
	careful  time.Time              // until then messages are received one by one
	failures int                    // in a row
}

func (b *Broker) receiver(src source, lease time.Duration) *receiver {
	return &receiver{Broker: b, source: src, locks: b.locks(src, 0), lease: lease, heard: b.Now()}
}

// receive waits for up to n messages, and mends what breaks.
func (r *receiver) receive(ctx context.Context, n int, give func(adapter.Held)) error {
	messages, err := r.round(ctx, n)
	if err == nil {
		r.failures = 0
		for _, raw := range messages {
			give(r.held(raw))
		}
		return nil
	}
	r.cut()
	if r.failures++; r.failures%4 == 0 {
		r.close(ctx)
	}
	if final := final(err); final != nil {
		return final
	}
	return err
}

func (r *receiver) round(ctx context.Context, n int) ([]*azservicebus.ReceivedMessage, error) {
	if n == 0 {
		return nil, nil
	}
	if r.Now().Before(r.careful) {
		n = 1
	}
	if r.Now().Sub(r.heard) > renewAfter {
		r.close(ctx)
		r.heard = r.Now()
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	round, cancel := context.WithTimeout(ctx, receiveRound)
	defer cancel()
	messages, err := receive(round, r.link, n)
	switch {
	case len(messages) > 0:
		r.heard = r.Now()
		return messages, nil
	case errors.Is(err, errPoison):
		r.slowDown(ctx, err)
		return nil, nil
	case round.Err() != nil:
		return nil, nil
	case err == nil:
		return nil, errCut // this is how the client library says it
	}
	return nil, err
}

// slowDown goes on after a message that cannot be read. What was received with it comes back when the locks end; from
// then on messages come one by one, so that the neighbours get through. The broker dead-letters the message itself when
// it has been delivered often enough.
func (r *receiver) slowDown(ctx context.Context, err error) {
	r.careful = r.Now().Add(2*mostLease + r.lease)
	r.Logger.ErrorContext(
		ctx,
		"a message that the client library cannot read",
		"subscription",
		r.String(),
		"error",
		err,
	)
}

// held is a message with the lock that came with it. The lock lasts as the message says, as far as clocks agree, and
// not longer than the subscription says.
func (r *receiver) held(raw *azservicebus.ReceivedMessage) adapter.Held {
	d := r.Topology.decode(r.source, raw)
	d.Reply = r.replier(d.Message)
	lease := r.lease
	if raw.LockedUntil != nil {
		lease = min(lease, raw.LockedUntil.Sub(r.Now()))
	}
	to := prop(raw, propTo)
	l := r.lock(raw)
	return adapter.Held{
		Delivery: d, Lease: min(max(lease, leastLease), mostLease), Aside: to != "" && to != r.name && !r.foreign,
		Renew:  l.renew,
		Settle: func(ctx context.Context, o broker.Outcome) error { return r.settle(ctx, d, l, o) },
	}
}

// open makes sure that there is a link; close ended the last one.
func (r *receiver) open() (err error) {
	if r.link == nil {
		r.link, err = r.source.receiver(r.client, 0)
	}
	return err
}

// close ends the link; the next use makes another.
func (r *receiver) close(ctx context.Context) {
	if r.link == nil {
		return
	}
	closing(ctx, r.link)
	r.link = nil
	r.cut()
}

// end closes what the receiver has when nothing is in hand any more.
func (r *receiver) end(ctx context.Context) {
	r.close(ctx)
	r.locks.close(ctx)
}
