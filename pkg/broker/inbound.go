package broker

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Inbound queues are filled by programs that are not ours and know nothing of this seam. A subscription to the type
// inbound.<tenant>.<source> makes the queue exist; until then nothing can be put into it, so that no sender takes a
// queue without a reader for a delivery. Each queue is apart from all other messages: what one sender does to it, in
// volume or by the ids it chooses, no other queue feels. Publish does not fill inbound queues.
//
// Of what stands in such a queue the adapter believes the body and the sender's own message id, and nothing else; a
// sender that gave no id gets one that stays the same when the message is delivered again. See [InboundMessage].
const inboundPrefix = "inbound."

// AttrID is the header under which an inbound message carries its sender's message id, also after [DeadLetters.Replay].
const AttrID = "id"

// maxForeignID bounds the id of a sender, in bytes.
const maxForeignID = 200

// InboundType returns the type of the messages that a source sends for a tenant.
func InboundType(tenant, source string) string { return inboundPrefix + tenant + "." + source }

// IsInbound reports whether messages of the type come from an inbound queue.
func IsInbound(messageType string) bool { return strings.HasPrefix(messageType, inboundPrefix) }

// InboundMessage returns what a handler gets of a foreign message. The tenant is that of the queue. The ID is derived
// from queue, sender's id and body: ids are unique among all queues, two contents under one id stay two messages, and
// what a sender chose for an id (a serial number, perhaps) gets into no log.
func InboundMessage(messageType, id string, body []byte) Message {
	id = foreignID(id)
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", messageType, id)
	h.Write(body)
	tenant, _, _ := strings.Cut(strings.TrimPrefix(messageType, inboundPrefix), ".")
	return Message{
		ID: "in-" + hex.EncodeToString(h.Sum(nil)[:16]), Type: messageType, Lane: Bulk, Tenant: tenant,
		Headers: map[string]string{AttrID: id}, Body: body,
	}
}

// foreignID returns the id, or its digest when it is not fit to be kept.
func foreignID(id string) string {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if len(id) <= maxForeignID && utf8.ValidString(id) && !strings.ContainsFunc(id, unprintable) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}
