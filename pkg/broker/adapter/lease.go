package adapter

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"taxiway.example/pkg/broker"
)

// ErrLost is the cause with which a handler's context ends when another consumer may have the message.
var ErrLost = errors.New("the lease was lost")

const (
	settleLimit = 30 * time.Second // all tries to settle
	settleGrace = 10 * time.Second // all tries after consuming was told to stop
)

// Held is a message that an adapter received and holds.
type Held struct {
	broker.Delivery
	Lease time.Duration // how long it is ours after it came or was renewed
	Aside bool          // it is a copy for another subscription: acknowledged unseen

	// Renew starts the lease again. ErrLost says that it is another consumer's.
	Renew func(context.Context) error
	// Settle tries once to carry out an outcome; it is safe to repeat. ErrLost says that there is nothing left to
	// settle.
	Settle func(context.Context, broker.Outcome) error
}

// lease keeps a held message ours from the moment it came until it is settled.
type lease struct {
	Held
	now   func() time.Time
	ctx   context.Context // ends with the lease or with consuming
	drop  context.CancelCauseFunc
	done  chan struct{} // closed when the lease is not needed any more
	ended chan struct{} // closed when renewing has ended
}

func keep(ctx context.Context, d Held, now func() time.Time) *lease {
	l := &lease{Held: d, now: now, done: make(chan struct{}), ended: make(chan struct{})}
	l.ctx, l.drop = context.WithCancelCause(ctx)
	go l.renew()
	return l
}

func (l *lease) end() {
	close(l.done)
	<-l.ended
	l.drop(nil)
}

// renew starts the lease again at a third of its time: a renewal that is not confirmed may be lost, and there is time
// for another. When the lease is lost, the handler is told to stop.
func (l *lease) renew() {
	defer close(l.ended)
	timer := time.NewTimer(l.Lease / 3)
	defer timer.Stop()
	for kept := l.now(); ; {
		select {
		case <-l.done:
			return
		case <-timer.C:
		}
		next := l.Lease / 3
		switch err := l.Renew(context.WithoutCancel(l.ctx)); {
		case err == nil:
			kept = l.now()
		case errors.Is(err, ErrLost), l.now().Sub(kept) > l.Lease:
			l.drop(ErrLost)
			return
		default:
			next = l.Lease / 8
		}
		timer.Reset(next)
	}
}

func (l *lease) lost() bool { return errors.Is(context.Cause(l.ctx), ErrLost) }

// settle carries out the outcome, trying again until it succeeded, the lease is lost, or stopping takes too long. What
// could not be settled comes again.
func (l *lease) settle(ctx context.Context, o broker.Outcome, log *slog.Logger) {
	if o.Action == broker.ActionRelease && l.lost() {
		return
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(settleGrace, cancel) })()
	for failures := 1; ; failures++ {
		err := l.Settle(limited, o)
		if err == nil {
			return
		}
		if l.lost() || errors.Is(err, ErrLost) || !again(limited, failures) {
			log.WarnContext(
				ctx,
				"a delivery was not settled and comes again",
				"event",
				l.ID,
				"outcome",
				o.Action.String(),
				"error",
				err,
			)
			return
		}
	}
}
