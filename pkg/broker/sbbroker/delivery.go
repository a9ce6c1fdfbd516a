package sbbroker

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
)

var errLockLost = errors.New("the lock was lost")

const (
	settleLimit = 30 * time.Second // all tries to settle
	settleGrace = 10 * time.Second // all tries after consuming was told to stop
	holdsMost   = 5                // deliveries by the broker after which another attempt is a copy: it counts those too
	detailMost  = 1024             // bytes of a dead letter's description; the service takes 4,096
)

// delivery is a message in our hands. Its lock is renewed from the moment it came until its settlement has succeeded.
type delivery struct {
	broker.Delivery
	settling
	in    *inlet
	lease time.Duration
	ctx   context.Context // ends with the lock or with consuming
	drop  context.CancelCauseFunc
	beats chan struct{} // closed when the renewing has ended
	done  chan struct{} // closed when the lock is not needed any more
}

func (in *inlet) delivery(ctx context.Context, raw *azservicebus.ReceivedMessage) *delivery {
	m := in.Topology.decode(in.source, raw)
	d := &delivery{
		Delivery: broker.Delivery{Message: m, Attempt: attempt(in.source, raw), Published: published(in.source, raw), Reply: in.replier(m)},
		settling: settling{receivers: in.settlers, raw: raw, link: in.link, unlink: in.unlink, count: &in.count},
		in:       in, lease: in.lease(raw), beats: make(chan struct{}), done: make(chan struct{}),
	}
	d.ctx, d.drop = context.WithCancelCause(ctx)
	go d.keep()
	return d
}

// lease is how long the lock lasts: as the message says, as far as clocks agree, and not longer than the subscription says.
func (in *inlet) lease(raw *azservicebus.ReceivedMessage) time.Duration {
	lease := in.sub.Lease
	if raw.LockedUntil != nil {
		lease = min(lease, raw.LockedUntil.Sub(in.Now()))
	}
	return min(max(lease, leastLease), mostLease)
}

// keep renews the lock at half of its time. When it is lost, somebody else may have the message: the handler is told to stop.
func (d *delivery) keep() {
	defer close(d.beats)
	timer := time.NewTimer(d.lease / 2)
	defer timer.Stop()
	for kept := d.in.Now(); ; {
		select {
		case <-d.done:
			return
		case <-timer.C:
		}
		next := d.lease / 2
		switch err := d.renew(context.WithoutCancel(d.ctx)); {
		case err == nil:
			kept = d.in.Now()
		case isLockLost(err), d.in.Now().Sub(kept) > d.lease:
			d.drop(errLockLost)
			return
		default:
			next = d.lease / 8
		}
		timer.Reset(next)
	}
}

func (d *delivery) lost() bool { return errors.Is(context.Cause(d.ctx), errLockLost) }

// settle carries out the outcome, trying again until it succeeded, the lock is lost, or stopping takes too long. What could
// not be settled comes again.
func (d *delivery) settle(ctx context.Context, o broker.Outcome) {
	defer d.drop(nil)
	defer func() { close(d.done); <-d.beats }()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(settleGrace, cancel) })()
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		if o.Action == broker.ActionRelease && d.lost() {
			return
		}
		err := d.carryOut(limited, o)
		if err == nil {
			return
		}
		if d.lost() || isLockLost(err) || !wait(limited, pause) {
			d.in.Logger.WarnContext(ctx, "a delivery was not settled and comes again",
				"subscription", d.in.String(), "event", d.ID, "outcome", o.Action.String(), "error", err)
			return
		}
	}
}

// carryOut tries once.
func (d *delivery) carryOut(ctx context.Context, o broker.Outcome) error {
	switch o.Action {
	case broker.ActionRetry:
		return d.again(ctx, o.Pause)
	case broker.ActionDeadLetter:
		return d.try(ctx, d.deadLetter(o))
	case broker.ActionRelease:
		return d.try(ctx, abandon(nil))
	}
	return d.try(ctx, complete)
}

// again gives the message back as the next attempt. After a short pause whoever receives it holds it; a long one, or a message
// that has come often, is a copy that the broker keeps.
func (d *delivery) again(ctx context.Context, after time.Duration) error {
	until := d.in.Now().Add(after)
	if after <= d.in.HoldLimit && d.raw.DeliveryCount < holdsMost {
		return d.try(ctx, abandon(map[string]any{
			propAttempt: strconv.Itoa(d.Attempt + 1), propNotBefore: stamp(until), propSequence: sequence(d.raw),
		}))
	}
	if err := d.copy(ctx, until); err != nil {
		return err
	}
	d.in.onStep(stepCopied)
	return d.try(ctx, complete)
}

// copy stores the next attempt, for this subscription only. It is safe to repeat.
func (d *delivery) copy(ctx context.Context, until time.Time) error {
	m := d.Message
	m.NotBefore = until
	out := d.in.encode(m)
	address(out, d.in.source, m.ID, d.Attempt+1)
	if !d.Published.IsZero() {
		out.ApplicationProperties[propPublished] = stamp(d.Published)
	}
	ctx, cancel := context.WithTimeout(ctx, d.in.PublishTimeout)
	defer cancel()
	return d.in.store(ctx, d.in.copies, []*azservicebus.Message{out})
}

// deadLetter is the native dead-lettering, one call that either happened or did not.
func (d *delivery) deadLetter(o broker.Outcome) verb {
	detail := strings.ToValidUTF8(o.Detail[:min(len(o.Detail), detailMost)], "") // a cut may go through a character
	notes := map[string]any{propAttempt: strconv.Itoa(d.Attempt), propDeadAt: stamp(d.in.Now())}
	if d.in.foreign {
		notes[prefixCE+broker.AttrID] = d.Headers[broker.AttrID]
	}
	reason := string(o.Reason)
	return deadLetter(&azservicebus.DeadLetterOptions{Reason: &reason, ErrorDescription: &detail, PropertiesToModify: notes})
}
