package sbbroker_test

import (
	"context"
	"fmt"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker"
	"taxiway.example/pkg/broker/sbbroker/simulated"
	"taxiway.example/pkg/fault"
)

// A simulated namespace in this process: publish, give up, look at at the dead letters, send it back.
func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// a, attempt 1
	// dead: a on importer: message.malformed
	// a-again, attempt 1
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "namespace")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	topology := sbbroker.Topology{
		Topics: []sbbroker.Topic{{Type: "devices.collected.v1", Subscriptions: []string{"importer"}}},
	}
	namespace, err := simulated.Start(ctx, topology, dir)
	if err != nil {
		return err
	}
	defer namespace.Close()
	client, err := azservicebus.NewClientFromConnectionString(namespace.ConnectionString(), sbbroker.ClientOptions())
	if err != nil {
		return err
	}
	b, err := sbbroker.New(ctx, client, sbbroker.Options{Topology: topology})
	if err != nil {
		return err
	}
	defer b.Close(ctx)

	if err := b.Publish(ctx, broker.Message{ID: "a", Type: "devices.collected.v1", Body: []byte("{}")}); err != nil {
		return err
	}
	handle := func(outcome broker.Outcome) error {
		consuming, stop := context.WithCancel(ctx)
		return b.Consume(
			consuming,
			broker.Subscription{Name: "importer", Type: "devices.collected.v1"},
			func(_ context.Context, d broker.Delivery) broker.Outcome {
				fmt.Printf("%s, attempt %d\n", d.ID, d.Attempt)
				stop()
				return outcome
			},
		)
	}
	if err := handle(broker.DeadLetter(fault.New(fault.MessageMalformed, "no devices"))); err != nil {
		return err
	}
	err = b.Peek(ctx, func(p broker.DeadLettered) bool {
		fmt.Printf("dead: %s on %s: %s\n", p.ID, p.Subscription, p.Reason)
		return true
	})
	if err != nil {
		return err
	}
	if err := b.Replay(ctx, "importer", "a", "a-again"); err != nil {
		return err
	}
	return handle(broker.Acknowledge())
}
