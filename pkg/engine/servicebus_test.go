package engine_test

import (
	"context"
	"testing"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker/simulated"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/event"
)

// What a namespace is told to hold is what the broker finds there.
func TestOpenServiceBus(t *testing.T) {
	t.Parallel()
	n, err := simulated.Start(t.Context(), engine.ServiceBusTopology(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	b, err := engine.OpenBroker(t.Context(), n.Address, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(context.WithoutCancel(t.Context()))
	for _, c := range event.Consumption() {
		for _, lane := range broker.Lanes() {
			if err := b.Publish(t.Context(), broker.Message{ID: "a", Type: string(c.Type), Lane: lane}); err != nil {
				t.Errorf("%s: %v", c.Type, err)
			}
			consumes(t, b, c, lane)
		}
	}
}

// consumes wants the message "a" to come to each consumer of a type.
func consumes(t *testing.T, b broker.Broker, c event.Consumed, lane broker.Lane) {
	t.Helper()
	for _, name := range c.Consumers {
		ctx, stop := awaittest.Context(t.Context())
		got := ""
		err := b.Consume(ctx, broker.Subscription{Name: name, Type: string(c.Type), Lane: lane}, func(_ context.Context, d broker.Delivery) broker.Outcome {
			got = d.ID
			stop()
			return broker.Acknowledge()
		})
		if err != nil || got != "a" {
			t.Errorf("%s of %s in lane %s got %q, %v", name, c.Type, lane, got, err)
		}
		stop()
	}
}

func TestServiceBusThatIsNotThere(t *testing.T) {
	t.Parallel()
	if b, err := engine.OpenBroker(t.Context(), "servicebus+env:NO_SUCH_VARIABLE", engine.Options{}); err == nil || b != nil {
		t.Errorf("%v, %v", b, err)
	}
}
