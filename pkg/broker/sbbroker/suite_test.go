package sbbroker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/brokertest"
	"taxiway.example/pkg/broker/sbbroker/simulator"
)

// suiteTypes are the message types that the suite publishes: a namespace has the topics it was set up with.
var suiteTypes = []string{"devices", "devices.collected", "devices.collected.v1", "submissions.due.v1", "devices.ready.v1"}

// backend is a simulated namespace.
type backend struct {
	*simulator.Server
	topology Topology
}

func newBackend(t *testing.T, types ...string) *backend {
	t.Helper()
	b := &backend{}
	var top simulator.Topology
	for _, typ := range types {
		b.topology.Topics = append(b.topology.Topics, Topic{Type: typ})
		top.Topics = append(top.Topics, simulator.Topic{
			Name: b.topology.Name(typ), Inbox: simulator.Inbox{DuplicateWindow: DuplicateWindow},
		})
	}
	srv, err := simulator.New(top, simulator.WithLogger(slog.New(slog.NewTextHandler(t.Output(), nil))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := srv.Listen(context.WithoutCancel(t.Context()), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b.Server = srv
	return b
}

// subscribe creates what is missing: a subscription on every topic that matches.
func (b *backend) subscribe(t *testing.T, subs ...broker.Subscription) {
	t.Helper()
	for _, sub := range subs {
		if broker.IsIntake(sub.Type) {
			b.addIntake(t, sub)
		}
		for i := range b.topology.Topics {
			topic := &b.topology.Topics[i]
			if !sub.Matches(topic.Type) {
				continue
			}
			err := b.AddSubscription(b.topology.Name(topic.Type), simulator.Subscription{
				Name: sub.Name, Outbox: simulator.Outbox{LockDuration: sub.Lease, MaxDeliveryCount: MaxDeliveryCount},
			})
			if errors.Is(err, simulator.ErrTopology) {
				continue // it is there
			}
			if err != nil {
				t.Fatal(err)
			}
			topic.Subscriptions = append(topic.Subscriptions, sub.Name)
		}
	}
}

func (b *backend) addIntake(t *testing.T, sub broker.Subscription) {
	t.Helper()
	queue, redo, replies := b.topology.Intake(sub.Type)
	out := simulator.Outbox{LockDuration: sub.Lease, MaxDeliveryCount: MaxDeliveryCount}
	for _, q := range []simulator.Queue{
		{Name: queue, Outbox: out}, {Name: redo, Outbox: out, Inbox: simulator.Inbox{DuplicateWindow: DuplicateWindow}}, {Name: replies},
	} {
		if err := b.AddQueue(q); err != nil && !errors.Is(err, simulator.ErrTopology) {
			t.Fatal(err)
		}
	}
}

// foreign sends to a queue as an OEM's program would.
func (b *backend) foreign(t *testing.T, messageType, id string, body []byte) {
	t.Helper()
	m := &azservicebus.Message{Body: body}
	if id != "" {
		m.MessageID = &id
	}
	b.send(t, b.topology.Name(messageType), m)
}

// send sends as somebody else does.
func (b *backend) send(t *testing.T, entity string, m *azservicebus.Message) {
	t.Helper()
	client, err := azservicebus.NewClientFromConnectionString(b.ConnectionString(), clientOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close(context.WithoutCancel(t.Context())) }()
	s, err := client.NewSender(entity, nil)
	if err == nil {
		err = s.SendMessage(t.Context(), m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (b *backend) open(t *testing.T, o Options) *Broker {
	t.Helper()
	client, err := azservicebus.NewClientFromConnectionString(b.ConnectionString(), clientOptions())
	if err != nil {
		t.Fatal(err)
	}
	o.Topology = Topology{Topics: append([]Topic(nil), b.topology.Topics...)}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	br, err := New(ctx, client, o)
	if err != nil {
		t.Fatal(err)
	}
	return br
}

func TestSuite(t *testing.T) {
	t.Parallel()
	brokertest.Run(t, harness)
}

func harness(t *testing.T) brokertest.Harness {
	t.Helper()
	b := newBackend(t, suiteTypes...)
	return brokertest.Harness{
		Open: func(t *testing.T, subs ...broker.Subscription) broker.Broker {
			t.Helper()
			b.subscribe(t, subs...)
			return b.open(t, Options{})
		},
		Restart: func(t *testing.T) {
			t.Helper()
			b.RefuseConnections(3)
			b.DropConnections()
		},
		Sever: func(t *testing.T) {
			t.Helper()
			b.DropConnections()
		},
		Foreign: b.foreign,
		Lease:   2 * time.Second,
	}
}
