// Package adapter holds what the adapters of the broker seam share: the leases of deliveries and their settlement, the loop
// that receives, trying again, the properties of a message, and the conditions that Health reports.
package adapter

import (
	"context"
	"errors"
	"time"

	"taxiway.example/pkg/fault"
)

const (
	firstPause = 50 * time.Millisecond
	longPause  = time.Second
)

// Backoff is the pause between tries, which doubles up to a second. The zero value is ready.
type Backoff struct{ next time.Duration }

// Wait pauses and reports whether ctx is still alive.
func (b *Backoff) Wait(ctx context.Context) bool {
	b.next = min(max(2*b.next, firstPause), longPause)
	t := time.NewTimer(b.next)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Reset makes the next pause the first again.
func (b *Backoff) Reset() { b.next = 0 }

// Persist tries until it works, ctx ends, or final translates the error into a fault that stays when the call is repeated; nil
// means that trying again makes sense. When ctx ends, it returns the last error that says why.
func Persist(ctx context.Context, final func(error) error, try func(context.Context) error) error {
	var last error
	var pause Backoff
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if final := final(err); final != nil {
			return final
		}
		if last == nil || ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
			last = err // what comes with the end of time explains less than what came before
		}
		if !pause.Wait(ctx) {
			return last
		}
	}
}

// GaveUp is the answer when time is over: a cancellation stays one, a lost race against a deadline is the broker's. nil stays
// nil, a fault a fault.
func GaveUp(ctx context.Context, err error) error {
	switch {
	case err == nil || fault.CodeOf(err) != fault.CodeUnknown:
		return err
	case errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	}
	return fault.Wrap(err, fault.BrokerUnavailable, "the broker did not confirm in time")
}

// Limit gives a call without a deadline one.
func Limit(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, limited := ctx.Deadline(); limited {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}
