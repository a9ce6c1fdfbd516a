package natsbroker_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/natsbroker"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/natsserver"
)

// A broker in this process: publish, fail once, give up, look at at the dead letters.
func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// a, attempt 1
	// a, attempt 2
	// dead: a on importer after 2 attempts: message.malformed
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "broker")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	srv, err := natsserver.Start(dir, natsserver.Options{})
	if err != nil {
		return err
	}
	defer srv.Close()
	nc, err := natsbroker.Connect(ctx, "", nil, srv.InProcess()...)
	if err != nil {
		return err
	}
	b, err := natsbroker.New(ctx, nc, natsbroker.Options{})
	if err != nil {
		return err
	}
	defer b.Close(ctx)

	if err := b.Publish(ctx, broker.Message{ID: "a", Type: "devices.collected.v1", Body: []byte("{}")}); err != nil {
		return err
	}
	consuming, stop := context.WithCancel(ctx)
	err = b.Consume(
		consuming,
		broker.Subscription{Name: "importer", Type: "devices.collected.v1"},
		func(_ context.Context, d broker.Delivery) broker.Outcome {
			fmt.Printf("%s, attempt %d\n", d.ID, d.Attempt)
			if d.Attempt == 1 {
				return broker.RetryAfter(10 * time.Millisecond)
			}
			stop()
			return broker.DeadLetter(fault.New(fault.MessageMalformed, "no devices"))
		},
	)
	if err != nil {
		return err
	}
	return b.Peek(ctx, func(p broker.DeadLettered) bool {
		fmt.Printf("dead: %s on %s after %d attempts: %s\n", p.ID, p.Subscription, p.Attempts, p.Reason)
		return true
	})
}
