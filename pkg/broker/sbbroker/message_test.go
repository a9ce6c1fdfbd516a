package sbbroker

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker/simulator"
)

// TestBinding: what others see is the CloudEvents AMQP binding in binary mode.
func TestBinding(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	m := work("a")
	m.Headers = map[string]string{"specversion": "1.0", "id": "a", "datacontenttype": "application/json"}
	b.must(b.broker(Options{}).Publish(t.Context(), m))
	client := b.client(t)
	defer client.Close(context.WithoutCancel(t.Context()))
	r, err := client.NewReceiverForSubscription(topicEntity, "importer", nil)
	b.must(err)
	messages, err := r.ReceiveMessages(t.Context(), 1, nil)
	b.must(err)
	got := messages[0]
	want := map[string]any{
		"cloudEvents_specversion": "1.0",
		"cloudEvents_id":          "a",
		"taxiway-id":              "a",
		"taxiway-tenant":          "contoso",
	}
	if diff := cmp.Diff(want, got.ApplicationProperties); diff != "" {
		t.Error(diff)
	}
	if got.MessageID != "a" || *got.ContentType != "application/json" || *got.Subject != m.Type {
		t.Errorf("%s %s %s", got.MessageID, *got.ContentType, *got.Subject)
	}
}

// TestForeignMessages: what other programs send to a topic reaches the handler with what can be known of it.
func TestForeignMessages(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	old := "old"
	empty := ""
	bad := "not an id"
	b.send(t, importer.Type,
		&azservicebus.Message{MessageID: &old, Body: []byte("x"), ApplicationProperties: map[string]any{
			"cloudEvents:id": "from-ce", "cloudEvents:time": at, "cloudEvents_n": int64(7), "cloudEvents_b": true,
			"other":           "ignored",
			"taxiway-attempt": "-7", "taxiway-not-before": "soon",
		}},
		&azservicebus.Message{MessageID: &bad, Body: []byte("x")},
		&azservicebus.Message{MessageID: &empty, Body: []byte("x")})
	b.sendAMQP(
		&azservicebus.AMQPAnnotatedMessage{Body: azservicebus.AMQPAnnotatedMessageBody{Value: "x"}},
		&azservicebus.AMQPAnnotatedMessage{Body: azservicebus.AMQPAnnotatedMessageBody{Value: []byte("x")}},
		&azservicebus.AMQPAnnotatedMessage{
			Body: azservicebus.AMQPAnnotatedMessageBody{Data: [][]byte{{}, []byte("x")}},
		},
	)
	got, _ := b.consume(b.broker(Options{}), importer, done)
	byID := map[string]broker.Delivery{}
	for range 6 {
		d := next(t, got)
		byID[d.ID] = d
		if d.Attempt != 1 || d.Type != importer.Type || d.Published.IsZero() || string(d.Body) != "x" ||
			!broker.ValidID(d.ID) {
			t.Errorf("%+v", d)
		}
	}
	want := map[string]string{"id": "from-ce", "time": "2026-05-04T03:02:01Z", "n": "7", "b": "true"}
	if diff := cmp.Diff(want, byID["from-ce"].Headers); diff != "" || len(byID) != 6 {
		t.Errorf("%d ids; %s", len(byID), diff)
	}
}

func (b *fixture) sendAMQP(messages ...*azservicebus.AMQPAnnotatedMessage) {
	b.Helper()
	client := b.client(b.T)
	defer client.Close(context.WithoutCancel(b.Context()))
	s, err := client.NewSender(topicEntity, nil)
	b.must(err)
	for _, m := range messages {
		b.must(s.SendAMQPAnnotatedMessage(b.Context(), m, nil))
	}
}

// TestDecodeAnything: no property that a program can set makes decoding fail, and what comes out has an id.
func TestDecodeAnything(t *testing.T) {
	t.Parallel()
	values := rapid.OneOf(
		rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Float64().AsAny(), rapid.Bool().AsAny(),
		rapid.SliceOf(rapid.Byte()).AsAny(), rapid.Just(any(nil)), rapid.Just(any(time.Unix(0, 0))),
	)
	names := rapid.SampledFrom([]string{
		"taxiway-id", "taxiway-tenant", "taxiway-attempt", "taxiway-not-before", "taxiway-published", propTo, propDeadAt,
		"cloudEvents_id", "cloudEvents:id", "cloudEvents_datacontenttype", "cloudEvents_", "x",
	})
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.Int64().Draw(rt, "sequence number")
		raw := &azservicebus.ReceivedMessage{
			MessageID: rapid.String().Draw(rt, "message id"), SequenceNumber: &n,
			ApplicationProperties: rapid.MapOf(names, values).Draw(rt, "properties"),
		}
		for _, from := range []source{{typ: importer.Type}, {typ: "inbound.contoso.oem-a", foreign: true}} {
			if m := (Topology{}).decode(from, raw); m.ID == "" || m.Type != from.typ || m.Attempt < 1 {
				rt.Errorf("%+v", m)
			}
		}
	})
}

// TestLargest: the largest message of the seam and its copies fit into what the service takes.
func TestLargest(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	br := b.broker(Options{})
	m := broker.Message{
		ID:   strings.Repeat("i", broker.MaxID),
		Type: importer.Type, Tenant: strings.Repeat("t", broker.MaxID), Body: make([]byte, broker.MaxBody),
		Headers: map[string]string{"a": string(make([]byte, broker.MaxHeaders-1))},
	}
	got, stop := b.consume(br, importer, func(_ context.Context, d broker.Delivery) broker.Outcome {
		if d.Attempt == 1 {
			return broker.RetryAfter(time.Millisecond)
		}
		return broker.Acknowledge()
	})
	b.must(br.Publish(t.Context(), m))
	for range 2 {
		d := next(t, got)
		if diff := cmp.Diff(m.Headers, d.Headers); diff != "" || len(d.Body) != broker.MaxBody || d.ID != m.ID ||
			d.Tenant != m.Tenant {
			t.Errorf("%s came with %d bytes; %s", d.ID, len(d.Body), diff)
		}
	}
	stop()
	b.want(importerEntity, simulator.Counts{})
}
