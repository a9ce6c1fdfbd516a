package adapter_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/fault"
)

// queue is a backend in memory; its messages come once.
type queue struct {
	mu      sync.Mutex
	waiting []adapter.Held
	asked   []int
	err     error
}

func (q *queue) receive(ctx context.Context, n int, give func(adapter.Held)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n == 0 {
		return nil
	}
	q.asked = append(q.asked, n)
	for ; n > 0 && len(q.waiting) > 0; n-- {
		give(q.waiting[0])
		q.waiting = q.waiting[1:]
	}
	if q.err != nil || len(q.waiting) > 0 {
		return q.err
	}
	q.mu.Unlock()
	wait, cancel := context.WithTimeout(ctx, time.Second)
	<-wait.Done()
	cancel()
	q.mu.Lock()
	return nil
}

// message is one that notes what becomes of it.
type message struct {
	renewed  atomic.Int64
	renewErr error
	fails    int
	outcomes chan broker.Outcome
}

func newMessage() *message { return &message{outcomes: make(chan broker.Outcome, 100)} }

func (m *message) held(id string) adapter.Held {
	return adapter.Held{
		Delivery: broker.Delivery{Message: broker.Message{ID: id}, Attempt: 1}, Lease: 30 * time.Second,
		Renew: func(context.Context) error { m.renewed.Add(1); return m.renewErr },
		Settle: func(_ context.Context, o broker.Outcome) error {
			if m.fails--; m.fails >= 0 {
				return errors.New("made to fail by the test")
			}
			m.outcomes <- o
			return nil
		},
	}
}

// run consumes in a bubble until stop.
func run(t *testing.T, c *adapter.Conditions, concurrency int, h broker.Handler, queues ...*queue) (stop func()) {
	t.Helper()
	from := map[string]adapter.Receive{}
	for i, q := range queues {
		from[string(rune('a'+i))] = q.receive
	}
	sub, err := broker.Subscription{Name: "importer", Type: "x", Concurrency: concurrency}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		adapter.NewConsumer(sub, h, c, slog.New(slog.DiscardHandler), time.Now).Run(ctx, from)
	}()
	return func() { cancel(); <-ended }
}

func TestOutcomesAreSettled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMessage()
		m.fails = 3 // it is tried again
		stop := run(
			t,
			new(adapter.Conditions),
			1,
			func(context.Context, broker.Delivery) broker.Outcome { return broker.RetryAfter(time.Minute) },
			&queue{waiting: []adapter.Held{m.held("a")}},
		)
		if o := <-m.outcomes; o != broker.RetryAfter(time.Minute) {
			t.Errorf("%+v", o)
		}
		stop()
		if len(m.outcomes) > 0 {
			t.Error("it was settled twice")
		}
	})
}

// Two places to receive from share the handlers; what waits for one keeps its lease.
func TestWaitingForAHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newMessage()
		two := newMessage()
		gate := make(chan struct{})
		working := atomic.Int64{}
		stop := run(t, new(adapter.Conditions), 1, func(context.Context, broker.Delivery) broker.Outcome {
			if working.Add(1) > 1 {
				t.Error("more handlers than asked for")
			}
			defer working.Add(-1)
			<-gate
			return broker.Acknowledge()
		}, &queue{waiting: []adapter.Held{one.held("a")}}, &queue{waiting: []adapter.Held{two.held("b")}})
		time.Sleep(5 * time.Minute) // of the bubble
		if one.renewed.Load() < 10 || two.renewed.Load() < 10 {
			t.Errorf("renewed %d and %d times in ten leases", one.renewed.Load(), two.renewed.Load())
		}
		close(gate)
		for _, m := range []*message{one, two} {
			if o := <-m.outcomes; o != broker.Acknowledge() {
				t.Errorf("%+v", o)
			}
		}
		stop()
	})
}

// A lease that cannot be renewed is lost after its time, one that another consumer has at once; the handler is told.
func TestLostLeases(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		after time.Duration
	}{
		"nobody answers":         {errors.New("away"), 30 * time.Second},
		"another consumer's now": {adapter.ErrLost, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMessage()
				m.renewErr = c.err
				began := time.Now()
				told := make(chan time.Duration, 1)
				stop := run(t, new(adapter.Conditions), 1, func(ctx context.Context, _ broker.Delivery) broker.Outcome {
					<-ctx.Done()
					if !errors.Is(context.Cause(ctx), adapter.ErrLost) {
						t.Errorf("the handler was told %v", context.Cause(ctx))
					}
					told <- time.Since(began)
					return broker.Release()
				}, &queue{waiting: []adapter.Held{m.held("a")}})
				if after := <-told; after < c.after || after > c.after+10*time.Second {
					t.Errorf("told after %s", after)
				}
				stop()
				if len(m.outcomes) > 0 {
					t.Error("what is another consumer's was released")
				}
			})
		})
	}
}

// What still waits for a handler when consuming stops is released, and what is for another subscription is acknowledged
// unseen.
func TestStopping(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := newMessage()
		two := newMessage()
		aside := newMessage()
		other := aside.held("other's")
		other.Aside = true
		stop := run(t, new(adapter.Conditions), 1, func(ctx context.Context, d broker.Delivery) broker.Outcome {
			if d.ID == "other's" {
				t.Error("the handler saw what is for another subscription")
			}
			<-ctx.Done()
			return broker.Acknowledge()
		}, &queue{waiting: []adapter.Held{one.held("a")}}, &queue{waiting: []adapter.Held{two.held("b")}}, &queue{waiting: []adapter.Held{other}})
		if o := <-aside.outcomes; o != broker.Acknowledge() {
			t.Errorf("%+v", o)
		}
		synctest.Wait()
		stop()
		got := map[broker.Action]int{(<-one.outcomes).Action: 1}
		got[(<-two.outcomes).Action]++
		if got[broker.ActionAcknowledge] != 1 || got[broker.ActionRelease] != 1 {
			t.Errorf("one was handled and one not: %v", got)
		}
	})
}

// Receiving that fails is a condition from the second time on, and none when it works again.
func TestInterruptions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c adapter.Conditions
		q := &queue{err: errors.New("away")}
		stop := run(t, &c, 1, func(context.Context, broker.Delivery) broker.Outcome { return broker.Acknowledge() }, q)
		synctest.Wait()
		if err := c.Worst(time.Now()); err != nil {
			t.Errorf("once: %v", err)
		}
		time.Sleep(10 * time.Second)
		if err := c.Worst(time.Now()); fault.CodeOf(err) != fault.BrokerUnavailable {
			t.Errorf("for ten seconds: %v", err)
		}
		q.mu.Lock()
		q.err = nil
		q.mu.Unlock()
		time.Sleep(10 * time.Second)
		if err := c.Worst(time.Now()); err != nil {
			t.Errorf("again: %v", err)
		}
		stop()
	})
}
