// Package simulated runs a simulated Service Bus namespace that holds what a topology says: for demonstrations and
// tests.
package simulated

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker"
	"taxiway.example/pkg/broker/sbbroker/simulator"
)

// Namespace is a simulated namespace on a loopback port of its own. Everything in it is gone when it is closed.
type Namespace struct {
	*simulator.Server
	Address  string // for engine.OpenBroker
	topology sbbroker.Topology
}

// Start makes a namespace and leaves its connection string in a file in dir, as it would be for a real one.
func Start(ctx context.Context, t sbbroker.Topology, dir string, o ...simulator.Option) (*Namespace, error) {
	srv, err := simulator.New(Topology(t), o...)
	if err != nil {
		return nil, err
	}
	if err := srv.Listen(context.WithoutCancel(ctx), "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, srv.Close())
	}
	file := filepath.Join(dir, "servicebus-connection-string")
	if err := os.WriteFile(file, []byte(srv.ConnectionString()+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("simulated namespace: %w", err), srv.Close())
	}
	return &Namespace{Server: srv, Address: "servicebus+file:" + file, topology: t}, nil
}

// AddInbound makes the queues of an inbound type, inbound.<tenant>.<source>.
func (n *Namespace) AddInbound(messageType string) error {
	queue, retry, replies := n.topology.Inbound(messageType)
	return errors.Join(
		n.AddQueue(simulator.Queue{Name: queue, Outbox: outbox()}),
		n.AddQueue(simulator.Queue{Name: retry, Inbox: inbox(), Outbox: outbox()}),
		n.AddQueue(simulator.Queue{Name: replies, Outbox: outbox()}))
}

// Topology translates a topology into the simulator's, with the settings that its entities should have.
func Topology(t sbbroker.Topology) simulator.Topology {
	var out simulator.Topology
	for _, topic := range t.Topics {
		for _, lane := range broker.Lanes() {
			made := simulator.Topic{Name: t.Name(topic.Type, lane), Inbox: inbox()}
			for _, name := range topic.Subscriptions {
				made.Subscriptions = append(made.Subscriptions, simulator.Subscription{Name: name, Outbox: outbox()})
			}
			out.Topics = append(out.Topics, made)
		}
	}
	return out
}

func inbox() simulator.Inbox { return simulator.Inbox{DuplicateWindow: sbbroker.DuplicateWindow} }

func outbox() simulator.Outbox {
	return simulator.Outbox{LockDuration: sbbroker.LockDuration, MaxDeliveryCount: sbbroker.MaxDeliveryCount}
}
