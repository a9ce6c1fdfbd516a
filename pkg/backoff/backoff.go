// Package backoff is how to wait before another try: a pause that honours the context, exponential growth, and jitter,
// so that those who failed together do not come back together.
package backoff

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Wait returns nil when d has passed, and ctx's error as soon as ctx ends.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// Doubled returns first, doubled n times, at most most. A negative n is none.
func Doubled(first time.Duration, n int, most time.Duration) time.Duration {
	for ; n > 0 && 0 < first && first < most; n-- {
		if first > most/2 {
			return most
		}
		first *= 2
	}
	return min(first, most)
}

// Jitter returns a random duration from low to high.
func Jitter(low, high time.Duration) time.Duration {
	return low + rand.N(max(high-low, 0)+1) //nolint:gosec // spreading load needs no secrecy
}

// JitterOf is Jitter in which the seed decides: what shall stay together, such as the devices of one import, has the
// same.
func JitterOf(seed string, low, high time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(seed)) // a hash takes everything
	return low + time.Duration(float64(max(high-low, 0))*float64(h.Sum32())/(1<<32))
}
