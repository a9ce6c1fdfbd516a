package backoff_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"taxiway.example/pkg/backoff"
)

func TestWaitEndsWithTheTimeOrTheContext(t *testing.T) {
	t.Parallel()
	late := errors.New("late")
	for name, tt := range map[string]struct {
		pause, end time.Duration // end of the context
		want       error
		after      time.Duration
	}{
		"time":     {time.Minute, time.Hour, nil, time.Minute},
		"context":  {time.Hour, time.Minute, context.DeadlineExceeded, time.Minute},
		"no pause": {0, time.Hour, nil, 0},
		"no time":  {time.Hour, 0, context.DeadlineExceeded, 0},
		"neither":  {-1, 0, context.DeadlineExceeded, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), tt.end, late)
				defer cancel()
				start := time.Now()
				if err := backoff.Wait(ctx, tt.pause); !errors.Is(err, tt.want) || time.Since(start) != tt.after {
					t.Errorf("%v after %s; want %v after %s", err, time.Since(start), tt.want, tt.after)
				}
			})
		})
	}
}

func TestDoubled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		first time.Duration
		n     int
		most  time.Duration
		want  time.Duration
	}{
		{time.Second, -1, time.Minute, time.Second},
		{time.Second, 0, time.Minute, time.Second},
		{time.Second, 3, time.Minute, 8 * time.Second},
		{time.Second, 6, time.Minute, time.Minute},
		{time.Second, math.MaxInt, time.Minute, time.Minute},
		{time.Second, math.MaxInt, math.MaxInt64, math.MaxInt64},
		{time.Hour, 0, time.Minute, time.Minute},
		{0, math.MaxInt, time.Minute, 0},
	} {
		if got := backoff.Doubled(tt.first, tt.n, tt.most); got != tt.want {
			t.Errorf("%s, %d times, at most %s: got %s, want %s", tt.first, tt.n, tt.most, got, tt.want)
		}
	}
}

func TestJitterStaysWithinItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		span := rapid.Int64Range(0, int64(1000*time.Hour))
		low := time.Duration(span.Draw(t, "low"))
		high := low + time.Duration(span.Draw(t, "room"))
		seed := rapid.String().Draw(t, "seed")
		random := backoff.Jitter(low, high)
		seeded := backoff.JitterOf(seed, low, high)
		for _, d := range []time.Duration{random, seeded} {
			if d < low || d > high {
				t.Errorf("%s is not from %s to %s", d, low, high)
			}
		}
		if again := backoff.JitterOf(seed, low, high); again != seeded {
			t.Errorf("the seed %q gave %s, then %s", seed, seeded, again)
		}
	})
}

func TestJitterSpreads(t *testing.T) {
	t.Parallel()
	random := map[time.Duration]bool{}
	seeded := map[time.Duration]bool{}
	for i := range 100 {
		random[backoff.Jitter(time.Minute, time.Hour)] = true
		seeded[backoff.JitterOf(time.Unix(int64(i), 0).String(), time.Minute, time.Hour)] = true
	}
	if len(random) < 90 || len(seeded) < 90 {
		t.Errorf("100 pauses fall on %d and %d durations", len(random), len(seeded))
	}
}
