package simulator_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker/sbbroker/simulator"
)

// topology is what most tests run on.
func topology() simulator.Topology {
	return simulator.Topology{
		Queues: []simulator.Queue{
			{Name: "plain", Outbox: simulator.Outbox{MaxDeliveryCount: 3}},
			{Name: "unique", Inbox: simulator.Inbox{DuplicateWindow: time.Minute}},
			{Name: "mortal", Outbox: simulator.Outbox{
				DefaultMessageTimeToLive: time.Hour, DeadLetteringOnMessageExpiration: true,
			}},
			{Name: "small", Inbox: simulator.Inbox{MaxSizeInMegabytes: 1}},
		},
		Topics: []simulator.Topic{{
			Name:          "events",
			Subscriptions: []simulator.Subscription{{Name: "left"}, {Name: "right"}},
		}},
	}
}

func newServer(t *testing.T, top simulator.Topology, options ...simulator.Option) *simulator.Server {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := simulator.New(top, append([]simulator.Option{simulator.WithLogger(logger)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close server: %v", err)
		}
	})
	if err := s.Listen(t.Context(), "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return s
}

func newClient(t *testing.T, s *simulator.Server) *azservicebus.Client {
	t.Helper()
	c, err := azservicebus.NewClientFromConnectionString(s.ConnectionString(), &azservicebus.ClientOptions{
		RetryOptions: azservicebus.RetryOptions{
			RetryDelay:    10 * time.Millisecond,
			MaxRetryDelay: 50 * time.Millisecond,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, c)
	return c
}

// closeLater closes v when the test ends; the test's own context is over by then.
func closeLater(t *testing.T, v interface{ Close(context.Context) error }) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := awaittest.Context(context.Background())
		defer cancel()
		if err := v.Close(ctx); err != nil {
			t.Logf("close %T: %v", v, err)
		}
	})
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := awaittest.Context(t.Context())
	t.Cleanup(cancel)
	return ctx
}

// bench is a server with one client.
type fixture struct {
	*testing.T
	server *simulator.Server
	client *azservicebus.Client
	ctx    context.Context
	moved  func() // something has got done: ctx lasts longer
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	s := newServer(t, topology())
	return working(t, s, newClient(t, s))
}

// working is a bench whose context ends when nothing gets done any more.
func working(t *testing.T, s *simulator.Server, c *azservicebus.Client) *fixture {
	t.Helper()
	ctx, moved, cancel := awaittest.Moving(t.Context())
	t.Cleanup(cancel)
	return &fixture{t, s, c, ctx, moved}
}

func (b *fixture) sender(entity string) *azservicebus.Sender {
	b.Helper()
	s, err := b.client.NewSender(entity, nil)
	if err != nil {
		b.Fatal(err)
	}
	closeLater(b.T, s)
	return s
}

func (b *fixture) receiver(queue string, o *azservicebus.ReceiverOptions) *azservicebus.Receiver {
	b.Helper()
	r, err := b.client.NewReceiverForQueue(queue, o)
	if err != nil {
		b.Fatal(err)
	}
	closeLater(b.T, r)
	return r
}

func (b *fixture) subscriber(topic, sub string, o *azservicebus.ReceiverOptions) *azservicebus.Receiver {
	b.Helper()
	r, err := b.client.NewReceiverForSubscription(topic, sub, o)
	if err != nil {
		b.Fatal(err)
	}
	closeLater(b.T, r)
	return r
}

func (b *fixture) deadLettersOf(queue string) *azservicebus.Receiver {
	b.Helper()
	return b.receiver(queue, &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter})
}

func (b *fixture) send(s *azservicebus.Sender, ids ...string) {
	b.Helper()
	for _, id := range ids {
		if err := s.SendMessage(b.ctx, message(id), nil); err != nil {
			b.Fatalf("send %s: %v", id, err)
		}
		b.moved()
	}
}

func message(id string) *azservicebus.Message {
	return &azservicebus.Message{
		MessageID:             &id,
		Body:                  []byte("body of " + id),
		ApplicationProperties: map[string]any{"kind": "test", "n": int64(len(id))},
	}
}

// one receives exactly one message.
func (b *fixture) one(r *azservicebus.Receiver) *azservicebus.ReceivedMessage {
	b.Helper()
	return b.many(r, 1)[0]
}

// many receives exactly n messages, in the order in which the server hands them
// out. It gives the client time: after 20 ms, its default, it would return with
// what it has and release the rest, which then comes in another order.
func (b *fixture) many(r *azservicebus.Receiver, n int) []*azservicebus.ReceivedMessage {
	b.Helper()
	var got []*azservicebus.ReceivedMessage
	for len(got) < n {
		more, err := r.ReceiveMessages(
			b.ctx,
			n-len(got),
			&azservicebus.ReceiveMessagesOptions{TimeAfterFirstMessage: time.Hour},
		)
		if err != nil {
			b.Fatalf("receive after %d of %d: %v", len(got), n, err)
		}
		b.moved()
		got = append(got, more...)
	}
	return got
}

func (b *fixture) complete(r *azservicebus.Receiver, messages ...*azservicebus.ReceivedMessage) {
	b.Helper()
	for _, m := range messages {
		if err := r.CompleteMessage(b.ctx, m, nil); err != nil {
			b.Fatalf("complete %s: %v", m.MessageID, err)
		}
		b.moved()
	}
}

// want checks counts.
func (b *fixture) want(entity string, want simulator.Counts) {
	b.Helper()
	got, err := b.server.Counts(entity)
	if err != nil {
		b.Fatal(err)
	}
	if got != want {
		b.Errorf("%s holds %+v, want %+v", entity, got, want)
	}
}

func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("m%03d", i)
	}
	return ids
}

func ptr[T any](v T) *T { return &v }
