package engine_test

import (
	"context"
	"testing"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker/simulated"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/event"
)

// What a namespace is told to hold is what the broker finds there.
func TestOpenServiceBus(t *testing.T) {
	t.Parallel()
	topology := engine.ServiceBusTopology()
	n, err := simulated.Start(t.Context(), topology, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	b, err := engine.OpenBroker(t.Context(), n.Address, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(context.WithoutCancel(t.Context()))
	for _, typ := range []event.Type{event.DevicesCollected, event.SubmissionDue, event.DevicesRegistered, event.DevicesReady} {
		if err := b.Publish(t.Context(), broker.Message{ID: "a", Type: string(typ)}); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
	for _, topic := range topology.Topics {
		for _, name := range topic.Subscriptions {
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			got := ""
			err := b.Consume(ctx, broker.Subscription{Name: name, Type: topic.Type}, func(_ context.Context, d broker.Delivery) broker.Outcome {
				got = d.ID
				stop()
				return broker.Acknowledge()
			})
			if err != nil || got != "a" {
				t.Errorf("%s of %s got %q, %v", name, topic.Type, got, err)
			}
			stop()
		}
	}
}

func TestServiceBusThatIsNotThere(t *testing.T) {
	t.Parallel()
	if b, err := engine.OpenBroker(t.Context(), "servicebus+env:NO_SUCH_VARIABLE", engine.Options{}); err == nil || b != nil {
		t.Errorf("%v, %v", b, err)
	}
}
