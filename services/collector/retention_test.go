package collector

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// eraser has captures that got old at some time, and fails when it is told to.
type eraser struct {
	mu     sync.Mutex
	old    []time.Time
	calls  int
	failed error
}

func (e *eraser) EraseCaptures(_ context.Context, before time.Time, limit int) (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls++
	if e.failed != nil {
		return 0, e.failed
	}
	e.old = slices.DeleteFunc(e.old, func(at time.Time) bool {
		if n == limit || !at.Before(before) {
			return false
		}
		n++
		return true
	})
	return n, nil
}

// wants checks what is left and how often it was asked, and makes it fail from now on, or not.
func (e *eraser) wants(t *testing.T, left, calls int, failed error) {
	t.Helper()
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.old) != left || e.calls != calls {
		t.Errorf("%d left after %d calls, want %d after %d", len(e.old), e.calls, left, calls)
	}
	e.failed = failed
}

func TestRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		e := &eraser{}
		for i := range 2*eraseAtOnce + 1 {
			e.old = append(e.old, start.Add(-31*24*time.Hour+time.Duration(i)))
		}
		e.old = append(e.old, start.Add(-30*24*time.Hour+90*time.Minute))
		var log bytes.Buffer
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			retain(ctx, 0, e, time.Now, slog.New(slog.NewTextHandler(&log, nil)))
		}()
		e.wants(t, 1, 3, errors.New("made to fail by the test"))
		time.Sleep(eraseEvery)
		e.wants(t, 1, 4, nil)
		time.Sleep(eraseEvery)
		e.wants(t, 0, 5, nil)
		stop()
		<-done
		for _, said := range []string{"count=2001", "level=WARN", "count=1"} {
			if !strings.Contains(log.String(), said) {
				t.Errorf("the log does not say %s: %s", said, &log)
			}
		}
		retain(t.Context(), -1, nil, time.Now, nil) // never
	})
}
