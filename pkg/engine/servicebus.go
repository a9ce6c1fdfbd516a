package engine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
)

// ServiceBusTopology is what a Service Bus namespace must hold for the services: topics for each event of
// event.Consumption, and the subscriptions of its consumers. Inbound queues come on top, one set for each source
// (sbbroker.Topology.Inbound).
func ServiceBusTopology() sbbroker.Topology {
	var t sbbroker.Topology
	for _, c := range event.Consumption() {
		t.Topics = append(t.Topics, sbbroker.Topic{Type: string(c.Type), Subscriptions: c.Consumers})
	}
	return t
}

// openServiceBus opens servicebus://NAMESPACE, servicebus+env:NAME or servicebus+file:PATH, with ?prefix=NAME.
func openServiceBus(ctx context.Context, a address, o Options) (broker.Broker, error) {
	params, err := serviceBusParameters(a)
	if err != nil {
		return nil, err
	}
	client, err := dialServiceBus(a)
	if err != nil {
		return nil, err
	}
	t := ServiceBusTopology()
	t.Prefix = params.Get("prefix")
	b, err := sbbroker.New(ctx, client, sbbroker.Options{Topology: t, Logger: o.Logger, Now: o.Now})
	if err != nil {
		return nil, err // and no *sbbroker.Broker that is nil
	}
	return b, nil
}

// serviceBusParameters refuses a secret where the name of a place belongs, and does not repeat it.
func serviceBusParameters(a address) (url.Values, error) {
	if strings.ContainsAny(a.place, "=;") {
		return nil, errors.New(
			"a connection string belongs into an environment variable or a file; the address names only which",
		)
	}
	if a.scheme == "servicebus" && strings.ContainsAny(a.place, "@/") {
		return nil, errors.New("want a namespace's host name behind servicebus://, and no secret")
	}
	return parameters(a.query, "prefix")
}

// dialServiceBus only prepares: the first call connects and gets a token.
func dialServiceBus(a address) (*azservicebus.Client, error) {
	switch a.scheme {
	case "servicebus+env":
		return dialConnectionString(os.Getenv(a.place), "the environment variable "+a.place)
	case "servicebus+file":
		text, err := os.ReadFile(a.place)
		if err != nil {
			return nil, err
		}
		return dialConnectionString(string(text), "the file")
	}
	cred, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fault.Wrap(err, fault.BrokerUnavailable, "the credentials for the namespace cannot be used")
	}
	return azservicebus.NewClient(a.place, cred, sbbroker.ClientOptions())
}

// dialConnectionString keeps quiet about what is wrong with a connection string: the client library would quote it.
func dialConnectionString(text, where string) (*azservicebus.Client, error) {
	client, err := azservicebus.NewClientFromConnectionString(strings.TrimSpace(text), sbbroker.ClientOptions())
	if err != nil {
		return nil, fmt.Errorf("%s holds no connection string of a Service Bus namespace", where)
	}
	return client, nil
}
