package simulator_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker/sbbroker/simulator"
)

// A message whose lock expires comes back, without anybody waiting for it.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	server, err := simulator.New(simulator.Topology{Queues: []simulator.Queue{{Name: "devices"}}})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	if err := server.Listen(ctx, "127.0.0.1:0"); err != nil {
		log.Fatal(err)
	}
	client, err := azservicebus.NewClientFromConnectionString(server.ConnectionString(), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	sender, err := client.NewSender("devices", nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := sender.SendMessage(ctx, &azservicebus.Message{Body: []byte("hello")}, nil); err != nil {
		log.Fatal(err)
	}
	receiver, err := client.NewReceiverForQueue("devices", nil)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		messages, err := receiver.ReceiveMessages(ctx, 1, nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s, delivery %d\n", messages[0].Body, messages[0].DeliveryCount)
		server.Advance(61 * time.Second)
	}
	// Output:
	// hello, delivery 1
	// hello, delivery 2
}
