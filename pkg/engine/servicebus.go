package engine

import (
	"taxiway.example/pkg/broker/sbbroker"
	"taxiway.example/pkg/event"
)

// ServiceBusTopology is what a Service Bus namespace must hold for the services: topics for each event of event.Consumption, and
// the subscriptions of its consumers. Inbound queues come on top, one set for each source (sbbroker.Topology.Inbound).
func ServiceBusTopology() sbbroker.Topology {
	var t sbbroker.Topology
	for _, c := range event.Consumption() {
		t.Topics = append(t.Topics, sbbroker.Topic{Type: string(c.Type), Subscriptions: c.Consumers})
	}
	return t
}
