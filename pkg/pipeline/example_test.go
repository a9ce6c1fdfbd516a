package pipeline_test

import (
	"context"
	"fmt"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/pipeline"
)

// A use case gets an event and returns nil or a fault; the pipeline makes of it what a broker understands.
func ExampleNew() {
	handler := pipeline.New(
		pipeline.Config{Subscription: "importer", DeadLetters: &records{}},
		func(_ context.Context, e event.Event) error {
			if len(e.Devices) > 1 {
				return fault.New(fault.TenantUnknown, "no such tenant")
			}
			return nil
		},
	)
	ctx := context.Background()
	now := time.Now()
	for _, devices := range [][]string{{"d1"}, {"d1", "d2"}} {
		e := event.ForDevices(event.DevicesCollected, "/example", "contoso", devices, now)
		attrs, body, err := event.Encode(e)
		if err != nil {
			fmt.Println(err)
			return
		}
		m := broker.Message{ID: e.ID, Type: string(e.Type), Headers: attrs, Body: body}
		outcome := handler(ctx, broker.Delivery{Message: m, Attempt: 1})
		fmt.Printf("%s %q\n", outcome.Action, outcome.Reason)
	}
	// Output:
	// ack ""
	// dead-letter "tenant.unknown"
}
