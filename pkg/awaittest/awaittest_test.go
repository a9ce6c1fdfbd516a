package awaittest_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"taxiway.example/pkg/awaittest"
)

// failing is a test that may fail.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper()                  {}
func (f *failing) Context() context.Context { return context.Background() }
func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// try runs a wait to its end, in the fake time of a bubble, and returns what it said in failing and how long it took.
func try(t *testing.T, wait func(testing.TB)) (said string, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		f := &failing{}
		began := time.Now()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			wait(f)
		}()
		<-ended
		said = f.said
		took = time.Since(began)
	})
	return said, took
}

func TestStateGivesUpWhenNothingMoves(t *testing.T) {
	t.Parallel()
	n := 0
	said, took := try(t, func(f testing.TB) {
		awaittest.State(f, "the end", func(context.Context) (int, bool) { n++; return min(n, 3), false })
	})
	if want := "waited in vain: the end; nothing moved any more: 3"; said != want || took < time.Minute {
		t.Errorf("said %q after %s", said, took)
	}
}

func TestStateGoesOnWhileSomethingMoves(t *testing.T) {
	t.Parallel()
	said, took := try(t, func(f testing.TB) {
		end := awaittest.State(f, "the end", func(context.Context) (int, bool) {
			step := int(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) / (50 * time.Second))
			return step, step == 20
		})
		if end != 20 {
			t.Errorf("the last state is %d", end)
		}
	})
	if said != "" || took < 1000*time.Second {
		t.Errorf("said %q after %s", said, took)
	}
}

func TestReceiveAndContext(t *testing.T) {
	t.Parallel()
	said, _ := try(t, func(f testing.TB) {
		full := make(chan int, 1)
		empty := make(chan int)
		full <- 7
		if got := awaittest.Receive(f, "a number", full); got != 7 {
			t.Errorf("received %d", got)
		}
		awaittest.Receive(f, "another", empty)
	})
	if want := "waited in vain: another"; said != want {
		t.Errorf("said %q", said)
	}
	if said, took := try(t, func(f testing.TB) {
		ctx, cancel := awaittest.Context(f.Context())
		defer cancel()
		<-ctx.Done()
	}); said != "" || took < time.Minute {
		t.Errorf("said %q after %s", said, took)
	}
}
