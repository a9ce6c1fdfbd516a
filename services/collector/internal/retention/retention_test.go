package retention

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

	"taxiway.example/pkg/dispatch"
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

// leases are leases that nobody else takes.
type leases struct{ dispatch.Ledger }

func (leases) Acquire(context.Context, string, string, time.Duration, time.Time) (bool, error) {
	return true, nil
}

func (leases) Release(context.Context, string, string) error { return nil }

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
			logger := slog.New(slog.NewTextHandler(&log, nil))
			if err := dispatch.Run(ctx, dispatch.Config{Jobs: Jobs(0, e, time.Now)}, dispatch.Deps{Ledger: leases{}, Logger: logger}); err != nil {
				t.Error(err)
			}
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
		if jobs := Jobs(-1, e, time.Now); len(jobs) > 0 {
			t.Errorf("%d jobs that erase nothing", len(jobs))
		}
	})
}
