package sbbroker

import (
	"context"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
)

// attrReplyTo carries the address for answers in our copies of an inbound message.
const attrReplyTo = "replyto"

// decodeForeign reads a message of an inbound queue. Of what its sender set only the id counts, and a mailbox that is his.
func (t Topology) decodeForeign(from source, raw *azservicebus.ReceivedMessage) broker.Message {
	m := broker.InboundMessage(from.typ, foreignID(raw), body(raw))
	if _, _, mailbox := t.Inbound(from.typ); raw.ReplyTo != nil && strings.EqualFold(*raw.ReplyTo, mailbox) {
		m.Headers[attrReplyTo] = mailbox
	}
	if ours(from, raw) {
		m.NotBefore = parseStamp(prop(raw, propNotBefore))
	}
	return m
}

// foreignID is the sender's id, or one that the broker's view of the message gives it, which redeliveries keep. A dead letter
// may have another sequence number than the message had; parking wrote down the first.
func foreignID(raw *azservicebus.ReceivedMessage) string {
	if raw.MessageID != "" {
		return raw.MessageID
	}
	if id := prop(raw, prefixCE+broker.AttrID); id != "" {
		return id
	}
	id := "seq-" + sequence(raw)
	if raw.EnqueuedTime != nil { // tells apart the messages of a queue that was deleted and created again
		id += "-" + strconv.FormatInt(raw.EnqueuedTime.UnixMilli(), 36)
	}
	return id
}

// ours reports whether the properties that we set on messages are by us. A sender cannot know the number his message will
// get, so that what comes with the right one was added later.
func ours(from source, raw *azservicebus.ReceivedMessage) bool {
	return !from.foreign || prop(raw, propSequence) == sequence(raw)
}

func sequence(raw *azservicebus.ReceivedMessage) string {
	if raw.SequenceNumber == nil {
		return ""
	}
	return strconv.FormatInt(*raw.SequenceNumber, 10)
}

// replier returns what answers the sender of an inbound message, nil when he named no mailbox.
func (b *Broker) replier(m broker.Message) func(context.Context, []byte) error {
	to := m.Headers[attrReplyTo]
	if _, _, mailbox := b.Topology.Inbound(m.Type); !broker.IsInbound(m.Type) || to != mailbox {
		return nil
	}
	about := m.Headers[broker.AttrID]
	return func(ctx context.Context, body []byte) error {
		id := "re " + m.ID
		ctx, cancel := b.limit(ctx)
		defer cancel()
		return b.store(ctx, to, []*azservicebus.Message{{MessageID: &id, CorrelationID: &about, Body: body}})
	}
}
