package brokertest_test

import (
	"context"
	"errors"
	"testing"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/brokertest"
)

// counting is a broker that counts what is published.
type counting struct {
	broker.Broker
	stored int
}

func (c *counting) Publish(_ context.Context, m ...broker.Message) error {
	c.stored += len(m)
	return nil
}

func TestFlaky(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	inner := &counting{}
	f := brokertest.NewFlaky(inner)
	f.FailPublish(1, false, down)
	f.FailPublish(1, true, down)
	for i, want := range []struct {
		err    error
		stored int
	}{{down, 0}, {down, 1}, {nil, 2}} {
		if err := f.Publish(t.Context(), broker.Message{}); !errors.Is(err, want.err) || inner.stored != want.stored {
			t.Errorf("call %d: %v, %d stored", i, err, inner.stored)
		}
	}
}
