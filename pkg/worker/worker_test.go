package worker_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/worker"
)

// carrier is a broker that delivers what is published to the bulk lane of whoever consumes the type.
type carrier struct {
	broker.Broker
	mu      sync.Mutex
	shares  map[string]broker.Subscription // by type and lane
	lanes   map[string]chan broker.Message // bulk, by type
	trimmed int
}

func newCarrier() *carrier {
	c := &carrier{shares: map[string]broker.Subscription{}, lanes: map[string]chan broker.Message{}}
	for _, t := range event.Consumption() {
		c.lanes[string(t.Type)] = make(chan broker.Message, 100)
	}
	return c
}

func (c *carrier) Publish(_ context.Context, messages ...broker.Message) error {
	for _, m := range messages {
		c.lanes[m.Type] <- m
	}
	return nil
}

func (c *carrier) Consume(ctx context.Context, sub broker.Subscription, h broker.Handler) error {
	c.mu.Lock()
	c.shares[sub.Type+" "+string(sub.Lane)] = sub
	c.mu.Unlock()
	lane := c.lanes[sub.Type]
	if sub.Lane == broker.Single {
		lane = nil
	}
	for {
		select {
		case m := <-lane:
			h(ctx, broker.Delivery{Message: m, Attempt: 1})
		case <-ctx.Done():
			return nil
		}
	}
}

func (c *carrier) Trim(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trimmed++
	return nil
}

// books are a ledger with one device that is due once, and leases.
type books struct {
	ledger.Ledger
	mu     sync.Mutex
	issued bool
	leases map[string]string // owners
}

func (b *books) Tenants(context.Context) ([]device.TenantID, error) {
	return []device.TenantID{"contoso"}, nil
}

func (b *books) ClaimDevices(context.Context, device.Stage, ledger.Claim) ([]ledger.DueDevice, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.issued {
		return nil, nil
	}
	b.issued = true
	return []ledger.DueDevice{{ID: "d1"}}, nil
}

func (b *books) Acquire(_ context.Context, name, owner string, _ time.Duration, _ time.Time) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if held := b.leases[name]; held != "" && held != owner {
		return false, nil
	}
	b.leases[name] = owner
	return true, nil
}

func (b *books) Release(_ context.Context, name, _ string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.leases, name)
	return nil
}

// A worker handles what its dispatcher issues, consumes its types in both lanes, and does its jobs and the broker's; of
// two workers one does each job.
func TestWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		b := &books{leases: map[string]string{}}
		var mu sync.Mutex
		var handled []string
		jobs := 0
		plan := worker.Plan{
			Name: event.Grouper,
			Handlers: map[event.Type]pipeline.UseCase{
				event.DevicesRegistered: func(_ context.Context, e event.Event) error {
					mu.Lock()
					defer mu.Unlock()
					handled = append(handled, e.Source+" "+e.Devices[0])
					return nil
				},
			},
			Stages: []dispatch.Stage{dispatch.Group},
			Jobs: []dispatch.Job{{Name: "tidy", Every: time.Hour, Do: func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				jobs++
				return nil
			}}},
			Tasks: []func(context.Context) error{func(ctx context.Context) error {
				<-ctx.Done()
				return nil
			}},
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		for range 2 {
			w := worker.New(worker.Config{Concurrency: 7, Lease: time.Minute}, worker.Deps{Ledger: b, Broker: c}, plan)
			go func() { ended <- w.Run(ctx) }()
		}
		synctest.Wait()
		time.Sleep(90 * time.Second)
		stop()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Error(err)
		}
		if !slices.Equal(handled, []string{"/taxiway/grouper d1"}) || jobs != 1 || c.trimmed != 2 {
			t.Errorf("handled %v, %d jobs, trimmed %d times", handled, jobs, c.trimmed)
		}
		for _, lane := range broker.Lanes() {
			if got := c.shares[string(event.DevicesRegistered)+" "+string(lane)]; got.Name != event.Grouper ||
				got.Concurrency != 7 ||
				got.Lease != time.Minute {
				t.Errorf("%s: %+v", lane, got)
			}
		}
		if len(b.leases) != 0 {
			t.Errorf("leases are left: %v", b.leases)
		}
	})
}

// When one part of a worker cannot go on, neither can the others.
func TestOnePartEndsAll(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]worker.Plan{
		"a task":             {Name: "collector", Tasks: []func(context.Context) error{func(context.Context) error { return fault.New(fault.MessageUnknownType, "") }}},
		"a handler too few":  {Name: event.Grouper},
		"a handler too many": {Name: "collector", Handlers: map[event.Type]pipeline.UseCase{event.DevicesReady: nil}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := worker.New(
				worker.Config{},
				worker.Deps{Ledger: &books{leases: map[string]string{}}, Broker: newCarrier()},
				plan,
			)
			if err := w.Run(t.Context()); !fault.Is(err, fault.MessageUnknownType) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
