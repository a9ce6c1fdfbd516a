package natsbroker

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
)

// Each inbound queue is a stream of its own: the server's dedupe window is that of a stream, and senders choose their
// message ids without knowing one another's. Its subject is taxiway.inbound.<tenant>.<source>; to publish there is all
// that a sender needs to be allowed. Copies of ours lie under another subject, so that they cannot be mistaken.

// headerReplyTo is where a sender waits for the answer. JetStream does not keep the reply subject of a message.
const headerReplyTo = "Taxiway-Reply-To"

// Inbound returns the subject of an inbound queue, and what every reply address of its source begins with: a sender
// must not make us publish anywhere else, to the reply addresses of other senders for example.
func Inbound(messageType string) (subject, inbox string) {
	_, source, _ := strings.Cut(messageType, ".")
	return prefix + "." + messageType, "_INBOX_" + words(source)
}

func retrySubject(queue, name string) string { return prefix + ".retry." + queue + "." + name }

func (b *Broker) queueConfig(p place) jetstream.StreamConfig {
	cfg := b.workConfig()
	cfg.Name = p.stream
	cfg.Description = "Taxiway: messages of " + p.Type
	cfg.Subjects = []string{p.subject, retrySubject(words(p.Type), "*")}
	cfg.MaxBytes = b.MaxQueueBytes
	cfg.MaxMsgSize = int32(
		b.nc.MaxPayload() - 4*broker.MaxHeaders,
	) // what is larger has no room for the headers of a dead letter
	return cfg
}

// queues lists the streams of inbound queues, also of those that are not consumed here.
func (b *Broker) queues(ctx context.Context) ([]string, error) {
	list := b.js.StreamNames(ctx, jetstream.WithStreamListSubject(prefix+".inbound.>"))
	var found []string
	for name := range list.Name() {
		found = append(found, name)
	}
	return found, list.Err()
}

// adopt returns the headers that a foreign message would have, had we published it.
func (s *share) adopt(h nats.Header, meta *jetstream.MsgMetadata, body []byte) nats.Header {
	id := cmp.Or(first(h, jetstream.MsgIDHeader), first(h, prefixCE+broker.AttrID))
	if id == "" {
		// The time tells apart the messages of a stream that was deleted and created again.
		at := strconv.FormatInt(meta.Timestamp.UnixNano(), 36)
		id = "seq-" + strconv.FormatUint(meta.Sequence.Stream, 10) + "-" + at
	}
	m := broker.InboundMessage(s.Type, id, body)
	for name, values := range h {
		if strings.EqualFold(name, headerReplyTo) && len(values) > 0 && isInbox(m.Type, values[0]) {
			m.Headers[adapter.AttrReplyTo] = values[0]
		}
	}
	return encode(broker.Delivery{Message: m}, "", "").Header
}

func first(h nats.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return strings.TrimSpace(values[0])
	}
	return ""
}

// isInbox reports whether an address is a reply address of the queue's source, and one subject.
func isInbox(queue, subject string) bool {
	_, inbox := Inbound(queue)
	return strings.HasPrefix(subject, inbox+".") && len(subject) <= broker.MaxID &&
		!strings.ContainsAny(subject, " \t*>") && !strings.Contains(subject+".", "..")
}

// replier returns what answers the sender of a message, nil when it did not say where to.
func (b *Broker) replier(m broker.Message) func(context.Context, []byte) error {
	to := m.Headers[adapter.AttrReplyTo]
	if !broker.IsInbound(m.Type) || !isInbox(m.Type, to) {
		return nil
	}
	return func(ctx context.Context, body []byte) error {
		if err := b.nc.Publish(to, body); err != nil {
			return unavailable(ctx, err)
		}
		return nil
	}
}
