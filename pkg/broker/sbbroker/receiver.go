package sbbroker

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
)

const (
	receiveRound = time.Minute      // one call that waits for messages
	renewAfter   = 10 * time.Minute // without a message: receivers have been seen to fall silent (Azure/azure-sdk-for-go#18517)
	leastLease   = time.Second
	mostLease    = 5 * time.Minute
)

var errCut = errors.New("the connection was lost while receiving")

// inlet receives from one entity.
type inlet struct {
	*share
	source
	receiver *azservicebus.Receiver        // receives and does nothing else; only run uses it
	settlers *pool[*azservicebus.Receiver] // renew and settle
	link     context.Context               // ends when the receiver's link is lost, or does not answer
	unlink   context.CancelFunc
	heard    time.Time // of the namespace, for the last time
	careful  time.Time // until then messages are received one by one
}

func newInlet(s *share, src source) *inlet {
	in := &inlet{
		share: s, source: src, heard: s.Now(),
		settlers: newPool(atOnce, func() (*azservicebus.Receiver, error) { return src.receiver(s.client, 0) }),
	}
	in.link, in.unlink = context.WithCancel(context.Background())
	return in
}

// cut lets everybody know that what came so far can be settled by lock token only.
func (in *inlet) cut() {
	in.unlink()
	in.link, in.unlink = context.WithCancel(context.Background())
}

// run receives until ctx ends and mends what breaks.
func (in *inlet) run(ctx context.Context) {
	what := "receiving from " + in.String()
	defer in.state.clear(what)
	pause, failures := firstPause, 0
	for ctx.Err() == nil {
		messages, err := in.receive(ctx, in.demand.free(ctx))
		in.demand.take(len(messages))
		in.takeAll(ctx, messages)
		if err == nil {
			pause, failures = firstPause, 0
			in.state.clear(what)
			continue
		}
		in.cut()
		if failures++; failures > 1 && ctx.Err() == nil { // one is what every restart of the service costs
			in.interrupted(ctx, what, err)
		}
		if failures%4 == 0 {
			in.close(ctx)
		}
		wait(ctx, pause)
		pause = min(2*pause, longPause)
	}
}

// interrupted says what is wrong. an inbound queue is the affair of one source: the others do not lose their process over it.
func (in *inlet) interrupted(ctx context.Context, what string, err error) {
	if final := verdict(err); final != nil {
		err = final
	}
	if !in.queue {
		in.state.note(what, err, in.Now())
	}
	in.Logger.WarnContext(ctx, "consuming was interrupted", "subscription", in.String(), "error", err)
}

// receive waits for up to n messages. No message and no error is what a quiet subscription gives.
func (in *inlet) receive(ctx context.Context, n int) (messages []*azservicebus.ReceivedMessage, err error) {
	if n == 0 {
		return nil, nil
	}
	if in.Now().Before(in.careful) {
		n = 1
	}
	if in.Now().Sub(in.heard) > renewAfter {
		in.close(ctx)
		in.heard = in.Now()
	}
	r, err := in.open()
	if err != nil {
		return nil, err
	}
	round, cancel := context.WithTimeout(ctx, receiveRound)
	defer cancel()
	messages, err = in.Broker.receive(round, r, n)
	switch {
	case len(messages) > 0:
		in.heard = in.Now()
		return messages, nil
	case errors.Is(err, errPoison):
		in.slowDown(ctx, err)
		return nil, nil
	case round.Err() != nil:
		return nil, nil
	case err == nil:
		return nil, errCut // this is how the client library says it
	}
	return nil, err
}

// slowDown goes on after a message that cannot be read. What was received with it comes back when the locks end; from then on
// messages come one by one, so that the neighbours get through. The broker parks the message itself when it has been delivered
// often enough.
func (in *inlet) slowDown(ctx context.Context, err error) {
	in.careful = in.Now().Add(2*mostLease + in.sub.Lease)
	in.Logger.ErrorContext(ctx, "a message that the client library cannot read", "subscription", in.String(), "error", err)
}

// takeAll makes deliveries of all messages before it hands out the first: locks are kept while messages wait for a worker.
func (in *inlet) takeAll(ctx context.Context, messages []*azservicebus.ReceivedMessage) {
	if in.link.Err() != nil {
		in.cut()
	}
	held := make([]*delivery, len(messages))
	for i, raw := range messages {
		held[i] = in.delivery(ctx, raw)
	}
	for _, d := range held {
		in.take(ctx, d)
	}
}

// take sees to it that somebody handles a delivery.
func (in *inlet) take(ctx context.Context, d *delivery) {
	switch to := prop(d.raw, propTo); {
	case to != "" && to != in.name && !in.foreign:
		in.running.Go(func() {
			d.settle(ctx, broker.Acknowledge())
			in.demand.give(1)
		})
	case d.NotBefore.After(in.Now()):
		in.hold(ctx, d)
	default:
		in.hand(ctx, d)
	}
}

// open returns the receiver, a new one after close.
func (in *inlet) open() (*azservicebus.Receiver, error) {
	if in.receiver != nil {
		return in.receiver, nil
	}
	r, err := in.source.receiver(in.client, 0)
	if err == nil {
		in.receiver = r
	}
	return r, err
}

// close ends the receiver; the next use makes another.
func (in *inlet) close(ctx context.Context) {
	if in.receiver == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = in.receiver.Close(ctx) // nothing is open but a link
	in.receiver = nil
	in.cut()
}

// end closes what the inlet has when nothing is in hand any more.
func (in *inlet) end(ctx context.Context) {
	in.close(ctx)
	in.unlink()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	in.settlers.close(ctx)
}
