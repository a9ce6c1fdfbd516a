package sbbroker

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
)

// decodeForeign reads a message of an inbound queue. Of what its sender set only the id counts, and a reply address
// that is the sender's own.
func (t Topology) decodeForeign(from source, raw *azservicebus.ReceivedMessage) broker.Delivery {
	m := broker.InboundMessage(from.typ, foreignID(raw), body(raw))
	if _, _, replies := t.Inbound(from.typ); raw.ReplyTo != nil && strings.EqualFold(*raw.ReplyTo, replies) {
		m.Headers[adapter.AttrReplyTo] = replies
	}
	return broker.Delivery{Message: m, Attempt: 1, Published: enqueued(raw)}
}

// foreignID is the sender's id, or one that the broker's view of the message gives it, which redeliveries keep. A dead
// letter may have another sequence number than the message had; dead-lettering wrote down the id that the first gave.
func foreignID(raw *azservicebus.ReceivedMessage) string {
	if id := cmp.Or(raw.MessageID, prop(raw, prefixCE+broker.AttrID)); id != "" {
		return id
	}
	id := "seq-" + sequence(raw)
	if raw.EnqueuedTime != nil { // tells apart the messages of a queue that was deleted and created again
		id += "-" + strconv.FormatInt(raw.EnqueuedTime.UnixMilli(), 36)
	}
	return id
}

// replier returns what answers the sender of an inbound message, nil when it named no reply address.
func (b *Broker) replier(m broker.Message) func(context.Context, []byte) error {
	to := m.Headers[adapter.AttrReplyTo]
	if _, _, replies := b.Topology.Inbound(m.Type); !broker.IsInbound(m.Type) || to != replies {
		return nil
	}
	about := m.Headers[broker.AttrID]
	return func(ctx context.Context, body []byte) error {
		id := "re " + m.ID
		ctx, cancel := adapter.Limit(ctx, b.PublishTimeout)
		defer cancel()
		return b.store(ctx, to, []*azservicebus.Message{{MessageID: &id, CorrelationID: &about, Body: body}})
	}
}
