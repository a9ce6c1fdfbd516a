package natsbroker

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/natsserver"
)

// The server sends an acknowledgement to whatever the sender named for it, and asks for no permission: a sender must
// not have it put into somebody else's queue, our work or our dead letters, and none of that may keep him from his own.
func TestSendersReplySubjects(t *testing.T) {
	t.Parallel()
	srv, err := natsserver.Start(
		t.TempDir(),
		natsserver.Options{Listen: "127.0.0.1:0", Senders: func(key string) (natsserver.Sender, bool) {
			subject, inbox := Inbound(key)
			return natsserver.Sender{Subject: subject, Inbox: inbox}, broker.IsInbound(key)
		}},
	)
	if err != nil {
		t.Fatal(err)
	}
	b := openOn(t, srv)
	sender, err := nats.Connect(
		srv.URL(),
		nats.Token(queue("oem-a").Type),
		nats.CustomInboxPrefix("_INBOX_contoso_oem-a"),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	js, err := jetstream.New(sender)
	if err != nil {
		t.Fatal(err)
	}
	const mine, theirs = "taxiway.inbound.contoso.oem-a", "taxiway.inbound.contoso.oem-b"
	if _, err := js.Publish(t.Context(), mine, nil, jetstream.WithRetryAttempts(0)); !errors.Is(
		err,
		jetstream.ErrNoStreamResponse,
	) {
		t.Errorf("without a queue the sender is told %v", err)
	}
	got, _ := collect(t, b, queue("oem-a"), broker.Acknowledge())
	collect(t, b, queue("oem-b"), broker.Acknowledge())
	for _, source := range []string{"oem-a", "oem-b"} {
		eventually(t, "both queues exist", func() bool {
			_, err := b.js.Consumer(t.Context(), placeOf(queue(source)).stream, placeOf(queue(source)).durable)
			return err == nil
		})
	}
	answers, err := sender.SubscribeSync("_INBOX_contoso_oem-a.answers")
	if err != nil {
		t.Fatal(err)
	}
	for _, reply := range []string{
		theirs, "taxiway.retry.inbound_contoso_oem-b.collector",
		"taxiway.ev.devices.collected.v1.bulk.x", "taxiway.to.importer_devices_collected_v1_bulk", "taxiway.dlq.importer.x",
	} {
		if err := sender.PublishMsg(&nats.Msg{Subject: mine, Reply: reply, Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		next(t, got)
	}
	// Acknowledgements go out in order: with this one, those before it went wherever they were to go.
	if _, err := js.Publish(t.Context(), mine, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	next(t, got)
	mustPublish(t, b, work("last"))
	if _, err := b.js.Publish(t.Context(), theirs, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint64{workStream: 1, deadStream: 0, placeOf(queue("oem-b")).stream: 1} {
		stream, err := b.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if n := stream.CachedInfo().State.LastSeq; n != want {
			t.Errorf("%d messages came to %s, want %d", n, name, want)
		}
	}
	if err := b.nc.Publish(answers.Subject, []byte("receipt")); err != nil {
		t.Fatal(err)
	}
	if m, err := answers.NextMsgWithContext(patient(t)); err != nil || string(m.Data) != "receipt" {
		t.Errorf("the answer: %v %v", m, err)
	}
}
