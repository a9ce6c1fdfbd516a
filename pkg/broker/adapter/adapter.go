// Package adapter holds what the adapters of the broker seam share: the leases of deliveries and their settlement, the
// loop that receives, trying again, the properties of a message, and the conditions that Health reports.
package adapter

import (
	"context"
	"errors"
	"time"

	"taxiway.example/pkg/backoff"
	"taxiway.example/pkg/fault"
)

// The pauses between tries.
const (
	firstPause = 50 * time.Millisecond // doubles
	longPause  = time.Second
)

// again pauses after so many failures in a row, and reports whether ctx is still alive.
func again(ctx context.Context, failures int) bool {
	return backoff.Wait(ctx, backoff.Doubled(firstPause, failures-1, longPause)) == nil
}

// Persist tries until it works, ctx ends, or final translates the error into a fault that stays when the call is
// repeated; nil means that trying again makes sense. When ctx ends, it returns the last error that says why.
func Persist(ctx context.Context, final func(error) error, try func(context.Context) error) error {
	var last error
	for failures := 1; ; failures++ {
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
		if !again(ctx, failures) {
			return last
		}
	}
}

// GaveUp is the answer when time is over: a cancellation stays one, a lost race against a deadline is the broker's. nil
// stays nil, a fault a fault.
func GaveUp(ctx context.Context, err error) error {
	switch {
	case err == nil || fault.Is(err):
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
