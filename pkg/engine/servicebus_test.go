package engine_test

import (
	"context"
	"testing"

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
	ctx, cancel := context.WithCancel(t.Context())
	for _, topic := range topology.Topics {
		for _, name := range topic.Subscriptions {
			got := make(chan broker.Delivery, 1)
			ended := make(chan error, 1)
			go func() {
				ended <- b.Consume(ctx, broker.Subscription{Name: name, Type: topic.Type}, func(_ context.Context, d broker.Delivery) error {
					got <- d
					return nil
				})
			}()
			select {
			case <-got:
				defer func() { cancel(); <-ended }()
			case err := <-ended:
				t.Errorf("%s of %s: %v", name, topic.Type, err)
			}
		}
	}
	cancel()
}

func TestServiceBusThatIsNotThere(t *testing.T) {
	t.Parallel()
	if b, err := engine.OpenBroker(t.Context(), "servicebus+env:NO_SUCH_VARIABLE", engine.Options{}); err == nil || b != nil {
		t.Errorf("%v, %v", b, err)
	}
}
