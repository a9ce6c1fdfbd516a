package brokertest

import (
	"context"
	"sync"

	"taxiway.example/pkg/broker"
)

// Flaky is a broker that fails on command.
type Flaky struct {
	broker.Broker
	mu    sync.Mutex
	fails []failure
}

type failure struct {
	err    error
	stored bool
}

// NewFlaky wraps a broker; it fails only when told to.
func NewFlaky(inner broker.Broker) *Flaky { return &Flaky{Broker: inner} }

// FailPublish makes the next times calls of Publish return err. With stored set the messages are stored all the same,
// as when a connection is lost after sending: the caller cannot know.
func (f *Flaky) FailPublish(times int, stored bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range times {
		f.fails = append(f.fails, failure{err, stored})
	}
}

// Publish publishes, or fails on command.
func (f *Flaky) Publish(ctx context.Context, messages ...broker.Message) error {
	fail, told := f.next()
	if !told {
		return f.Broker.Publish(ctx, messages...)
	}
	if fail.stored {
		if err := f.Broker.Publish(ctx, messages...); err != nil {
			return err
		}
	}
	return fail.err
}

func (f *Flaky) next() (failure, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.fails) == 0 {
		return failure{}, false
	}
	first := f.fails[0]
	f.fails = f.fails[1:]
	return first, true
}
