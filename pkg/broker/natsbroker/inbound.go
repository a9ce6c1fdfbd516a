package natsbroker

import (
	"context"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
)

// Each inbound queue is a stream of its own: the server's dedupe window is that of a stream, and senders choose their message
// ids without knowing one another's. Its subject is taxiway.inbound.<tenant>.<source>; to publish there is all that a sender
// needs to be allowed. Copies of ours lie under another subject, so that they cannot be mistaken.

// headerReplyTo is where a sender waits for the answer. JetStream does not keep the reply subject of a message.
const headerReplyTo = "Taxiway-Reply-To"

// attrReplyTo carries it in our copies.
const attrReplyTo = "replyto"

// inbox begins every address that answers are sent to. With the names of the queue behind it, it is that sender's: he must not
// make us publish anywhere else, other senders' mailboxes among it.
const inbox = "_INBOX"

// queueOf returns name and queue of a subscription's durable, queue "" for all but inbound queues.
func queueOf(durable string) (name, queue string) {
	name, words, _ := strings.Cut(durable, "_")
	if strings.HasPrefix(words, "inbound_") {
		return name, words
	}
	return name, ""
}

// home is the stream in which the messages of a subscription lie.
func (n names) home(durable string) string {
	if _, queue := queueOf(durable); queue != "" {
		return n.prefix + "-" + queue
	}
	return n.work()
}

func (n names) inbound(messageType string) string { return n.prefix + "." + messageType }

func (n names) retry(queue, name string) string { return n.prefix + ".retry." + queue + "." + name }

// isForeign reports whether a message was published by somebody else.
func (n names) isForeign(subject string) bool {
	return strings.HasPrefix(subject, n.prefix+".inbound.")
}

func (b *Broker) queueConfig(s broker.Subscription) jetstream.StreamConfig {
	_, queue := queueOf(durable(s))
	cfg := b.workConfig()
	cfg.Name = b.home(durable(s))
	cfg.Description = "Taxiway: messages of " + s.Type
	cfg.Subjects = []string{b.inbound(s.Type), b.retry(queue, "*")}
	cfg.MaxBytes = b.MaxQueueBytes
	cfg.MaxMsgSize = int32(b.nc.MaxPayload() - 4*broker.MaxHeaders) // what is larger could not be dead: parking adds headers
	return cfg
}

// openQueue creates the stream of an inbound queue or brings it to our configuration.
func (s *share) openQueue(ctx context.Context) error {
	if !broker.IsInbound(s.sub.Type) {
		return nil
	}
	return s.provide(ctx, s.queueConfig(s.sub))
}

// queues lists the streams of inbound queues, also of those that nobody here consumes.
func (b *Broker) queues(ctx context.Context) ([]string, error) {
	list := b.js.StreamNames(ctx, jetstream.WithStreamListSubject(b.prefix+".inbound.>"))
	var found []string
	for name := range list.Name() {
		found = append(found, name)
	}
	return found, list.Err()
}

// adopt returns the headers that a foreign message would have, had we published it.
func (n names) adopt(h nats.Header, subject string, meta *jetstream.MsgMetadata, body []byte) nats.Header {
	id := first(h, jetstream.MsgIDHeader)
	if id == "" {
		id = first(h, prefixCE+"id")
	}
	if id == "" {
		// The time tells apart the messages of a stream that was deleted and created again.
		id = "seq-" + strconv.FormatUint(meta.Sequence.Stream, 10) + "-" + strconv.FormatInt(meta.Timestamp.UnixNano(), 36)
	}
	m := broker.InboundMessage(strings.TrimPrefix(subject, n.prefix+"."), id, body)
	for name, values := range h {
		if strings.EqualFold(name, headerReplyTo) && len(values) > 0 && isInbox(m.Type, values[0]) {
			m.Headers[attrReplyTo] = values[0]
		}
	}
	return encode(m, subject, "").Header
}

func first(h nats.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return strings.TrimSpace(values[0])
	}
	return ""
}

// isInbox reports whether an address is a mailbox of the queue's source, and one subject.
func isInbox(queue, subject string) bool {
	return strings.HasPrefix(subject, inboxOf(queue)+".") && len(subject) <= broker.MaxID &&
		!strings.ContainsAny(subject, " \t*>") && !strings.Contains(subject+".", "..")
}

// replier returns what answers the sender of a message, nil when there is nobody to answer.
func (b *Broker) replier(m broker.Message) func(context.Context, []byte) error {
	to := m.Headers[attrReplyTo]
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
