package engine

import (
	"taxiway.example/pkg/broker/sbbroker"
	"taxiway.example/pkg/event"
)

// ServiceBusTopology is what a Service Bus namespace must hold for the services: a topic for each event, and the subscriptions
// of the services that consume it. devices.ready.v1 is for subscribers of yours. Inbound queues come on top, one pair for each
// source (sbbroker.Topology.Inbound).
func ServiceBusTopology() sbbroker.Topology {
	return sbbroker.Topology{Topics: []sbbroker.Topic{
		{Type: string(event.DevicesCollected), Subscriptions: []string{"importer"}},
		{Type: string(event.SubmissionDue), Subscriptions: []string{"importer"}},
		{Type: string(event.DevicesRegistered), Subscriptions: []string{"grouper"}},
		{Type: string(event.DevicesReady)},
	}}
}
