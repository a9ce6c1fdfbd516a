package sbbroker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/brokertest"
	"taxiway.example/pkg/broker/sbbroker/simulator"
)

// namespace makes entities; what is there already stays.
type namespace interface {
	addTopic(t *testing.T, name string)
	addSubscription(t *testing.T, topic, name string, lock time.Duration)
	addQueue(t *testing.T, name string, lock time.Duration, dedupe bool)
}

// backend is a namespace with a set of topics, reached by a line of its own.
type backend struct {
	namespace
	topology Topology
	secret   string // connection string
	options  *azservicebus.ClientOptions
	line     *line
	lease    time.Duration
}

func newBackend(t *testing.T, b backend, types ...string) *backend {
	t.Helper()
	for _, typ := range types {
		b.topology.Topics = append(b.topology.Topics, Topic{Type: typ})
		for _, lane := range broker.Lanes() {
			b.addTopic(t, b.topology.Name(typ, lane))
		}
	}
	return &b
}

// subscribe creates what is missing: a subscription on the topic of its type.
func (b *backend) subscribe(t *testing.T, subs ...broker.Subscription) {
	t.Helper()
	for _, sub := range subs {
		if broker.IsInbound(sub.Type) {
			queue, retry, replies := b.topology.Inbound(sub.Type)
			b.addQueue(t, queue, sub.Lease, false)
			b.addQueue(t, retry, sub.Lease, true)
			b.addQueue(t, replies, sub.Lease, false)
		}
		for i := range b.topology.Topics {
			topic := &b.topology.Topics[i]
			if sub.Type == topic.Type && !slices.Contains(topic.Subscriptions, sub.Name) {
				for _, lane := range broker.Lanes() {
					b.addSubscription(t, b.topology.Name(topic.Type, lane), sub.Name, sub.Lease)
				}
				topic.Subscriptions = append(topic.Subscriptions, sub.Name)
			}
		}
	}
}

func (b *backend) client(t *testing.T) *azservicebus.Client {
	t.Helper()
	c, err := azservicebus.NewClientFromConnectionString(b.secret, b.options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open returns a broker; closing it is the caller's.
func (b *backend) open(t *testing.T, o Options) *Broker {
	t.Helper()
	o.Topology = Topology{Prefix: b.topology.Prefix, Topics: slices.Clone(b.topology.Topics)}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	ctx, cancel := awaittest.Context(t.Context())
	defer cancel()
	br, err := New(ctx, b.client(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return br
}

// send sends as a program does that knows nothing of us.
func (b *backend) send(t *testing.T, messageType string, messages ...*azservicebus.Message) {
	t.Helper()
	ctx, cancel := awaittest.Context(context.WithoutCancel(t.Context()))
	defer cancel()
	client := b.client(t)
	defer client.Close(ctx)
	entity := b.topology.Name(messageType, broker.Bulk)
	if broker.IsInbound(messageType) {
		entity, _, _ = b.topology.Inbound(messageType)
	}
	s, err := client.NewSender(entity, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := s.SendMessage(ctx, m, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// probe is a subscription for Health to ask, in tests that have none of their own.
var probe = broker.Subscription{Name: "probe", Type: "devices", Lease: time.Minute}

func (b *backend) harness() brokertest.Harness {
	return brokertest.Harness{
		Open: func(t *testing.T, subs ...broker.Subscription) broker.Broker {
			t.Helper()
			b.subscribe(t, append(subs, probe)...)
			return b.open(t, Options{})
		},
		Restart: func(*testing.T) { b.line.cut(3) },
		Sever:   func(*testing.T) { b.line.cut(0) },
		Foreign: func(t *testing.T, messageType, id string, body []byte) {
			t.Helper()
			m := &azservicebus.Message{Body: body}
			if id != "" {
				m.MessageID = &id
			}
			b.send(t, messageType, m)
		},
		Lease: b.lease,
	}
}

// simulated is a namespace in this process, whose faults and clock tests can use.
type simulated struct{ *simulator.Server }

func newSimulated(t *testing.T, o ...simulator.Option) simulated {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := simulator.New(simulator.Topology{}, append(o, simulator.WithLogger(logger))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Listen(context.WithoutCancel(t.Context()), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return simulated{s}
}

func (s simulated) backend(t *testing.T, types ...string) *backend {
	t.Helper()
	secret := s.ConnectionString()
	_, host, _ := strings.Cut(secret, "sb://")
	host, _, _ = strings.Cut(host, ";")
	l := newLine(t, strings.Trim(host, "/"))
	o := ClientOptions()
	o.CustomEndpoint = l.ln.Addr().String()
	return newBackend(t, backend{namespace: s, secret: secret, options: o, line: l, lease: 2 * time.Second}, types...)
}

func (s simulated) addTopic(t *testing.T, name string) {
	t.Helper()
	s.made(t, s.AddTopic(simulator.Topic{Name: name, Inbox: simulator.Inbox{DuplicateWindow: DuplicateWindow}}))
}

func (s simulated) addSubscription(t *testing.T, topic, name string, lock time.Duration) {
	t.Helper()
	s.made(t, s.AddSubscription(topic, simulator.Subscription{Name: name, Outbox: outbox(lock)}))
}

func (s simulated) addQueue(t *testing.T, name string, lock time.Duration, dedupe bool) {
	t.Helper()
	q := simulator.Queue{Name: name, Outbox: outbox(lock)}
	if dedupe {
		q.DuplicateWindow = DuplicateWindow
	}
	s.made(t, s.AddQueue(q))
}

func outbox(lock time.Duration) simulator.Outbox {
	return simulator.Outbox{LockDuration: lock, MaxDeliveryCount: MaxDeliveryCount}
}

func (s simulated) made(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, simulator.ErrTopology) { // that it is there
		t.Fatal(err)
	}
}
