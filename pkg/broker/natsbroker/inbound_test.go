package natsbroker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/natsserver"
)

func queue(source string) broker.Subscription {
	return broker.Subscription{Name: "collector", Type: broker.InboundType("contoso", source), Lease: time.Second}
}

// A sender is not told "stored" by a queue that nobody reads.
func TestQueueWithoutAReaderTakesNothing(t *testing.T) {
	t.Parallel()
	backend := newBackend(t)
	backend.open(t, Options{}).closing(t)
	_, js := backend.sender(t)
	for _, subject := range []string{"taxiway.inbound.contoso.oem-a", "taxiway.inbound.contoso", "taxiway.inbound.contoso.oem-a.more"} {
		if ack, err := js.Publish(t.Context(), subject, nil, jetstream.WithRetryAttempts(0)); !errors.Is(
			err,
			jetstream.ErrNoStreamResponse,
		) {
			t.Errorf("%s: %+v %v", subject, ack, err)
		}
	}
}

// What is ours in the headers of a sender means nothing.
func TestSendersHeadersAreNotBelieved(t *testing.T) {
	t.Parallel()
	backend := newBackend(t)
	b := backend.open(t, Options{}).closing(t)
	got, _ := collect(t, b, queue("oem-a"), broker.Acknowledge())
	backend.foreign(t, queue("oem-a").Type, "first", nil)
	next(t, got)
	_, js := backend.sender(t)
	for _, h := range []nats.Header{
		{
			"Nats-Msg-Id": {"mine"}, "ce-id": {"other"}, "ce-tenantid": {"fabrikam"}, "ce-replyto": {"_INBOX.x"},
			"taxiway-id": {"x"}, "taxiway-type": {"devices.collected.v1"}, "taxiway-tenant": {"fabrikam"}, "taxiway-attempt": {"7"},
			"taxiway-not-before": {"2999-01-01T00:00:00Z"}, "taxiway-published": {"1999-01-01T00:00:00Z"}, headerReplyTo: {"$JS.API.STREAM.DELETE.taxiway-work"},
		},
		{"ce-id": {"mine"}, headerReplyTo: {"_INBOX_contoso_oem-a.*"}},
		{"ce-id": {"mine"}, headerReplyTo: {"_INBOX_contoso_oem-b.answers"}},
	} {
		if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: "taxiway.inbound.contoso.oem-a", Header: h, Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		d := next(t, got)
		if diff := cmp.Diff(broker.InboundMessage(queue("oem-a").Type, "mine", []byte("{}")), d.Message); diff != "" {
			t.Error(diff)
		}
		if d.Attempt != 1 || d.Published.Year() < 2020 || d.Reply != nil {
			t.Errorf("attempt %d, published %s, reply %t", d.Attempt, d.Published, d.Reply != nil)
		}
	}
}

// The answer reaches the sender's inbox, after another attempt too.
func TestReply(t *testing.T) {
	t.Parallel()
	backend := newBackend(t)
	b := backend.open(t, Options{}).closing(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- b.Consume(ctx, queue("oem-a"), func(ctx context.Context, d broker.Delivery) broker.Outcome {
			if d.Attempt < 2 || d.Reply == nil {
				return broker.RetryAfter(0)
			}
			if err := d.Reply(ctx, []byte("receipt of "+d.Headers[broker.AttrID])); err != nil {
				return broker.RetryAfter(0)
			}
			return broker.Acknowledge()
		})
	}()
	backend.foreign(t, queue("oem-a").Type, "first", nil) // waits for the queue; nobody to answer
	nc, js := backend.sender(t)
	answers, err := nc.SubscribeSync("_INBOX_contoso_oem-a.answers")
	if err != nil {
		t.Fatal(err)
	}
	m := &nats.Msg{
		Subject: "taxiway.inbound.contoso.oem-a",
		Header:  nats.Header{"taxiway-reply-to": {answers.Subject}, "Nats-Msg-Id": {"4711"}},
	}
	if _, err := js.PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	answer, err := answers.NextMsgWithContext(patient(t))
	if err != nil || string(answer.Data) != "receipt of 4711" {
		t.Errorf("%v %v", answer, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestInbox(t *testing.T) {
	t.Parallel()
	const mine = "_INBOX_contoso_oem-a."
	for subject, want := range map[string]bool{
		mine + "a": true, mine + "a.b": true, "": false, mine: false, mine + "*": false, mine + ">": false,
		mine + "a b": false, mine + ".a": false,
		mine + strings.Repeat("a", 100): false, "x" + mine + "a": false, "taxiway.ev.x": false, "$JS.API.INFO": false,
		"_INBOX.a": false, "_INBOX_contoso_oem-ab.a": false, "_INBOX_contoso_oem-b.a": false,
		"_INBOX_fabrikam_oem-a.a": false,
	} {
		if isInbox(queue("oem-a").Type, subject) != want {
			t.Errorf("%q: want %t", subject, want)
		}
	}
}

// One sender fills his queue: he is refused, nobody else is.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	backend := newBackend(t)
	b := backend.open(t, Options{MaxQueueBytes: 100_000}).closing(t)
	got, _ := collect(t, b, queue("oem-a"), broker.Acknowledge())
	backend.foreign(t, queue("oem-a").Type, "", make([]byte, 60_000))
	next(t, got)
	_, js := backend.sender(t)
	_, err := js.Publish(t.Context(), "taxiway.inbound.contoso.oem-a", make([]byte, 60_000))
	if !hasCode(err, codeStoreFailed) {
		t.Errorf("a full queue answers %v", err)
	}
	other, _ := collect(t, b, queue("oem-b"), broker.Acknowledge())
	backend.foreign(t, queue("oem-b").Type, "", make([]byte, 60_000))
	next(t, other)
	mustPublish(t, b, work("a"))
	if err := b.Health(t.Context()); err != nil {
		t.Errorf("one sender made the broker unhealthy: %v", err)
	}
	eventually(t, "the queue to take messages again", func() bool {
		if err := b.Trim(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := js.Publish(t.Context(), "taxiway.inbound.contoso.oem-a", make([]byte, 60_000))
		return err == nil
	})
	next(t, got)
}

// What could not become a dead letter is not taken: it would come again for ever. What is taken can.
func TestOversizedMessages(t *testing.T) {
	t.Parallel()
	backend := newBackend(t)
	b := backend.open(t, Options{}).closing(t)
	got, _ := collect(
		t,
		b,
		queue("oem-a"),
		broker.DeadLetter(fault.New(fault.MessageTooLarge, strings.Repeat("x", 10_000))),
	)
	backend.foreign(t, queue("oem-a").Type, "small", nil)
	next(t, got)
	nc, js := backend.sender(t)
	most := nc.MaxPayload() - 4*broker.MaxHeaders
	for _, size := range []int64{nc.MaxPayload(), most + 1} {
		if _, err := js.Publish(t.Context(), "taxiway.inbound.contoso.oem-a", make([]byte, size)); !errors.Is(
			err,
			jetstream.ErrStreamMessageExceedsMaximum,
		) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	if _, err := js.Publish(t.Context(), "taxiway.inbound.contoso.oem-a", make([]byte, most)); err != nil {
		t.Fatal(err)
	}
	large := next(t, got)
	eventually(t, "the large one is dead", func() bool {
		_, err := b.find(t.Context(), "collector", large.ID)
		return err == nil
	})
}

// A queue from before gets the limit; one that has it is left alone.
func TestQueuesLimitIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{}).closing(t)
	want := b.queueConfig(placeOf(queue("oem-a")))
	before := want
	before.MaxMsgSize = 0
	if err := b.provide(t.Context(), before, true); err != nil {
		t.Fatal(err)
	}
	if err := b.provide(t.Context(), want, true); err != nil {
		t.Fatal(err)
	}
	stream, err := b.js.Stream(t.Context(), want.Name)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	want.Replicas = config.Replicas
	if config.MaxMsgSize != want.MaxMsgSize || !has(config, want) {
		t.Errorf("messages may have %d bytes, want %d", config.MaxMsgSize, want.MaxMsgSize)
	}
}

// Somebody deletes a queue's stream: its consumer makes a new one.
func TestQueueIsMadeAgain(t *testing.T) {
	t.Parallel()
	backend := newBackend(t)
	b := backend.open(t, Options{}).closing(t)
	got, _ := collect(t, b, queue("oem-a"), broker.Acknowledge())
	backend.foreign(t, queue("oem-a").Type, "", []byte("{}"))
	first := next(t, got)
	if err := b.js.DeleteStream(t.Context(), "taxiway-inbound_contoso_oem-a"); err != nil {
		t.Fatal(err)
	}
	backend.foreign(t, queue("oem-a").Type, "", []byte("{}"))
	if second := next(t, got); second.ID == first.ID {
		t.Error("two messages of the same place and content share an id")
	}
}

// An OEM comes in with its key and can fill its queue, read its answers, and nothing else.
func TestSenders(t *testing.T) {
	t.Parallel()
	srv, err := natsserver.Start(
		t.TempDir(),
		natsserver.Options{Listen: "127.0.0.1:0", Senders: func(key string) (natsserver.Sender, bool) {
			source, ok := strings.CutPrefix(key, "key of ")
			subject, inbox := Inbound(queue(source).Type)
			return natsserver.Sender{Subject: subject, Inbox: inbox}, ok
		}},
	)
	if err != nil {
		t.Fatal(err)
	}
	b := openOn(t, srv)
	got, _ := collect(t, b, queue("oem-a"), broker.Acknowledge())
	collect(t, b, queue("oem-b"), broker.Acknowledge())
	for _, stranger := range []nats.Option{nats.Token("stranger"), nats.UserInfo("taxiway", "taxiway"), nats.Name("nobody")} {
		if nc, err := nats.Connect(srv.URL(), stranger); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("a stranger is told %v", err)
			nc.Close()
		}
	}
	violations := make(chan error, 100)
	sender, err := nats.Connect(srv.URL(), nats.Token("key of oem-a"), nats.CustomInboxPrefix("_INBOX_contoso_oem-a"),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { violations <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	js, err := jetstream.New(sender)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the sender can fill its queue", func() bool {
		_, err := js.Publish(t.Context(), "taxiway.inbound.contoso.oem-a", []byte("{}"))
		return err == nil
	})
	next(t, got)
	for _, subject := range []string{
		"taxiway.inbound.contoso.oem-b",
		"taxiway.retry.inbound_contoso_oem-a.collector", "taxiway.ev.devices.collected.v1.bulk.x",
		"$JS.API.STREAM.DELETE.taxiway-work",
	} {
		if err := sender.Publish(subject, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if err := next(t, violations); !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("publishing to %s: %v", subject, err)
		}
	}
	for _, subject := range []string{">", "_INBOX.>", "_INBOX_contoso_oem-b.>", "taxiway.>", "$JS.>", "_INBOX_contoso_oem-a"} {
		if _, err := sender.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		if err := next(t, violations); !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("subscribing to %s: %v", subject, err)
		}
	}
	if streams := stored(t, b); streams.Msgs != 0 {
		t.Errorf("the sender's messages are elsewhere: %+v", streams)
	}
}
