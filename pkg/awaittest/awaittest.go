// Package awaittest waits, in tests, for what takes as long as it takes. A wait gives up when nothing has moved for
// long, never after a fixed time: what "long" is is counted in time of an idle machine, and begins anew with every
// progress.
package awaittest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"taxiway.example/pkg/slowness"
)

// long is how long nothing may move, on an idle machine. No passing test waits for it to pass.
const long = time.Minute

// pause is how long a wait rests before it asks again; it never asks for more than a part of the time.
const pause = 10 * time.Millisecond

// Context returns a context that ends when the wait has been long. It bounds calls that have no progress to show. Its
// deadline is far away and means nothing but that it has one: callees that give a call without a deadline one of their
// own shall not.
func Context(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, _, cancel := Moving(parent)
	return ctx, cancel
}

// Moving is Context for what has progress to show: the wait begins anew whenever moved is called.
func Moving(parent context.Context) (_ context.Context, moved func(), cancel context.CancelFunc) {
	ctx, cancel := context.WithTimeout(parent, 24*time.Hour)
	var left atomic.Int64
	moved = func() { left.Store(int64(long)) }
	moved()
	go func() {
		defer cancel()
		tick := time.NewTicker(long / 100)
		defer tick.Stop()
		for last := time.Now(); left.Load() > 0; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now := time.Now()
			left.Add(-int64(float64(now.Sub(last)) / slowness.Factor()))
			last = now
		}
	}()
	return ctx, moved, cancel
}

// State looks again and again until look is satisfied, and returns the last state. It fails the test when the state, as
// printed by %+v, has been the same for long. What goes round in circles is no progress: a state should have nothing
// that counts tries.
func State[S any](t testing.TB, what string, check func(context.Context) (state S, ok bool)) S {
	t.Helper()
	ctx, moved, cancel := Moving(context.WithoutCancel(t.Context()))
	defer cancel()
	for before := ""; ; {
		began := time.Now()
		state, ok := check(ctx)
		if ok {
			return state
		}
		if now := fmt.Sprintf("%+v", state); now != before {
			before = now
			moved()
		}
		select {
		case <-time.After(pause + 3*time.Since(began)):
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s; nothing moved any more: %s", what, before)
		}
	}
}

// True is State for what is so or not.
func True(t testing.TB, what string, ok func(context.Context) bool) {
	t.Helper()
	State(t, what, func(ctx context.Context) (struct{}, bool) { return struct{}{}, ok(ctx) })
}

// Receive returns the next value of a channel. It fails the test when none comes for long.
func Receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	default:
	}
	ctx, cancel := Context(context.WithoutCancel(t.Context()))
	defer cancel()
	select {
	case v := <-from:
		return v
	case <-ctx.Done():
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}
