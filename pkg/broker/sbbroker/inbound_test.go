package sbbroker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/fault"
)

var inboundQueue = broker.Subscription{Name: "collector", Type: "inbound.contoso.oem-a", Lease: time.Minute}

// TestForgedProperties: a sender that knows our properties gains nothing by setting them.
func TestForgedProperties(t *testing.T) {
	t.Parallel()
	b := newFixture(t, inboundQueue)
	id := "order-1"
	b.send(
		t,
		inboundQueue.Type,
		&azservicebus.Message{MessageID: &id, Body: []byte("{}"), ApplicationProperties: map[string]any{
			"taxiway-id": "forged", "taxiway-tenant": "fabrikam", "taxiway-attempt": "99",
			"taxiway-not-before": adapter.Stamp(time.Now().Add(time.Hour)),
			"taxiway-published":  adapter.Stamp(time.Unix(1, 0)),
			"cloudEvents_id":     "forged", "cloudEvents_tenantid": "fabrikam",
		}},
	)
	got, _ := b.consume(b.broker(Options{}), inboundQueue, done)
	d := next(t, got)
	want := broker.InboundMessage(inboundQueue.Type, id, []byte("{}"))
	if d.ID != want.ID || d.Tenant != "contoso" || d.Attempt != 1 || len(d.Headers) != 1 || d.Headers["id"] != id ||
		time.Since(d.Published) > time.Hour {
		t.Errorf("%+v", d)
	}
}

// TestInboundWithoutDedupe: two contents under one id are two messages, however soon they come.
func TestInboundWithoutDedupe(t *testing.T) {
	t.Parallel()
	b := newFixture(t, inboundQueue)
	id := "1"
	got, _ := b.consume(b.broker(Options{}), inboundQueue, done)
	for _, body := range []string{"first", "second"} {
		b.send(t, inboundQueue.Type, &azservicebus.Message{MessageID: &id, Body: []byte(body)})
		if d := next(t, got); string(d.Body) != body {
			t.Errorf("%s", d.Body)
		}
	}
}

// TestInboundQueueMissing: it is said in the log, spoils nobody's health, and is mended by making the queue.
func TestInboundQueueMissing(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	said := make(chan []byte, 100)
	br := b.broker(Options{Logger: slog.New(slog.NewTextHandler(writes(said), nil))})
	got, _ := b.consume(br, inboundQueue, done)
	queue, _, _ := b.topology.Inbound(inboundQueue.Type)
	eventually(t, "the log names the queue", func() bool { return bytes.Contains(next(t, said), []byte(queue)) })
	b.must(br.Health(t.Context()))
	b.subscribe(t, inboundQueue)
	b.send(t, inboundQueue.Type, &azservicebus.Message{Body: []byte("{}")})
	next(t, got)
}

// writes passes on what is written, as long as there is room.
type writes chan []byte

func (w writes) Write(p []byte) (int, error) {
	select {
	case w <- slices.Clone(p):
	default:
	}
	return len(p), nil
}

// TestInboundCopies: attempts and replays that take a copy take it to a queue that the sender cannot reach, and stay
// the same message.
func TestInboundCopies(t *testing.T) {
	t.Parallel()
	b := newFixture(t, inboundQueue)
	br := b.broker(Options{})
	queue, retry, replies := b.topology.Inbound(inboundQueue.Type)
	got, stop := b.consume(br, inboundQueue, func(_ context.Context, d broker.Delivery) broker.Outcome {
		if d.Attempt == 1 {
			return broker.RetryAfter(time.Millisecond)
		}
		return broker.DeadLetter(fault.New(fault.MessageMalformed, "no JSON"))
	})
	id := "Zásilka 1"
	b.send(t, inboundQueue.Type, &azservicebus.Message{MessageID: &id, Body: []byte("{}"), ReplyTo: &replies})
	first := next(t, got)
	second := next(t, got)
	if second.ID != first.ID || second.Headers["id"] != id || second.Tenant != "contoso" || second.Reply == nil {
		t.Errorf("%+v", second)
	}
	stop()
	b.want(queue, simulator.Counts{})
	b.want(retry, simulator.Counts{DeadLetter: 1})
	b.must(br.Replay(t.Context(), "collector", first.ID, "fresh"))
	got, stop = b.consume(br, inboundQueue, done)
	if d := next(t, got); d.ID != "fresh" || d.Headers["id"] != id || d.Attempt != 1 {
		t.Errorf("%+v", d)
	}
	stop()
	b.want(retry, simulator.Counts{})
}

// TestReply goes to the sender's reply address and nowhere else.
func TestReply(t *testing.T) {
	t.Parallel()
	b := newFixture(t, inboundQueue)
	br := b.broker(Options{})
	_, _, replies := b.topology.Inbound(inboundQueue.Type)
	answered := make(chan error, 10)
	b.consume(br, inboundQueue, func(ctx context.Context, d broker.Delivery) broker.Outcome {
		if d.Reply == nil {
			answered <- errTest
			return broker.Acknowledge()
		}
		answered <- d.Reply(ctx, []byte("welcome"))
		return broker.Acknowledge()
	})
	id := "1"
	elsewhere := topicEntity
	for _, to := range []*string{nil, &elsewhere} {
		b.send(t, inboundQueue.Type, &azservicebus.Message{MessageID: &id, ReplyTo: to})
		if err := next(t, answered); !errors.Is(err, errTest) {
			t.Errorf("there is a way to answer %v", err)
		}
	}
	b.send(t, inboundQueue.Type, &azservicebus.Message{MessageID: &id, ReplyTo: &replies})
	b.must(next(t, answered))
	client := b.client(t)
	defer client.Close(context.WithoutCancel(t.Context()))
	r, err := client.NewReceiverForQueue(replies, nil)
	b.must(err)
	messages, err := r.ReceiveMessages(t.Context(), 1, nil)
	b.must(err)
	if m := messages[0]; string(m.Body) != "welcome" || *m.CorrelationID != id {
		t.Errorf("%s about %s", m.Body, *m.CorrelationID)
	}
}

// TestInboundQueuesMissing: an answer and a copy that have nowhere to go fail for their sender; the process stays
// ready.
func TestInboundQueuesMissing(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	queue, retry, replies := b.topology.Inbound(inboundQueue.Type)
	b.addQueue(t, queue, time.Minute, false)
	br := b.broker(Options{})
	answered := make(chan error, 10)
	_, stop := b.consume(br, inboundQueue, func(ctx context.Context, d broker.Delivery) broker.Outcome {
		answered <- d.Reply(ctx, []byte("welcome"))
		return broker.Acknowledge()
	})
	b.send(t, inboundQueue.Type, &azservicebus.Message{ReplyTo: &replies})
	if err := next(t, answered); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("answered into nowhere: %v", err)
	}
	stop()
	if err := br.store(t.Context(), retry, []*azservicebus.Message{{Body: []byte("{}")}}); fault.CodeOf(
		err,
	) != fault.BrokerUnavailable {
		t.Errorf("copied into nowhere: %v", err)
	}
	b.must(br.Health(t.Context()))
}

// TestOneQueueMissing: what others hold is shown and replayed all the same; what could not be asked is named.
func TestOneQueueMissing(t *testing.T) {
	t.Parallel()
	other := broker.Subscription{Name: "collector", Type: "inbound.fabrikam.oem-b", Lease: time.Minute}
	b := newFixture(t, other)
	br := b.broker(Options{})
	missing, _, _ := b.topology.Inbound(inboundQueue.Type)
	before := len(br.known())
	b.consume(br, inboundQueue, done)
	eventually(t, "the missing queue is asked first", func() bool { return len(br.known()) > before })
	got, stop := b.consume(br, other, dead)
	id := "1"
	b.send(t, other.Type, &azservicebus.Message{MessageID: &id})
	d := next(t, got)
	stop()
	if _, shown := b.dead(br)[d.ID]; !shown {
		t.Error("the message is not shown")
	}
	b.must(br.Replay(t.Context(), "collector", d.ID, "fresh"))
	err := br.Replay(t.Context(), "collector", d.ID, "fresh")
	if fault.CodeOf(err) != fault.BrokerUnavailable || !strings.Contains(fault.DetailOf(err), missing) {
		t.Errorf("nowhere to be found: %v", err)
	}
	if err := br.Replay(t.Context(), "importer", d.ID, "fresh"); fault.CodeOf(err) != fault.RequestNotFound {
		t.Errorf("another subscription: %v", err)
	}
}

// TestParts: who does not answer leaves time for the others.
func TestParts(t *testing.T) {
	t.Parallel()
	whole, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for n, most := range map[int]time.Duration{1: time.Hour, 4: time.Hour / 4} {
		ctx, cancel := part(whole, n)
		if end, limited := ctx.Deadline(); !limited || time.Until(end) > most {
			t.Errorf("one of %d parts ends at %v", n, end)
		}
		cancel()
	}
}

// TestForgedAddressee: a sender cannot make us throw its message away unseen either.
func TestForgedAddressee(t *testing.T) {
	t.Parallel()
	b := newFixture(t, inboundQueue)
	id := "1"
	b.send(
		t,
		inboundQueue.Type,
		&azservicebus.Message{MessageID: &id, ApplicationProperties: map[string]any{propTo: "nobody"}},
	)
	got, _ := b.consume(b.broker(Options{}), inboundQueue, done)
	if d := next(t, got); d.Headers[broker.AttrID] != id {
		t.Errorf("%+v", d)
	}
}
