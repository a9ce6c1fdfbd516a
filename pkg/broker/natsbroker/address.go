package natsbroker

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"taxiway.example/pkg/broker"
)

// The names of streams, subjects and consumers. Tenants and message ids stand in them only as digests: they may hold
// characters that mean something in a subject, and subjects are seen by everybody who watches the server.
const (
	prefix       = "taxiway"
	workStream   = prefix + "-work"
	deadStream   = prefix + "-dead-letters"
	deadSubjects = prefix + ".dlq.>"
)

// eventSubject is where a message is published once for everybody, ev.<type>.<lane>.<tenant>. The other subjects of the
// work stream, to.<durable>, are for one subscription.
func eventSubject(m broker.Message) string {
	return prefix + ".ev." + m.Type + "." + string(cmp.Or(m.Lane, broker.Bulk)) + "." + digest(m.Tenant)
}

// deadSubject is the subject of one dead letter. It holds one message at most, which makes storing it safe to repeat.
func deadSubject(subscription, id string) string {
	return prefix + ".dlq." + subscription + "." + digest(id)
}

// place is where the messages of a subscription lie.
type place struct {
	broker.Subscription
	stream  string
	durable string // the consumer
	subject string // what others publish to
	own     string // the subject of copies
}

func placeOf(s broker.Subscription) place {
	s.Lane = cmp.Or(s.Lane, broker.Bulk)
	queue := words(s.Type)
	if broker.IsInbound(s.Type) {
		subject, _ := Inbound(s.Type)
		return place{s, prefix + "-" + queue, s.Name + "_" + queue, subject, retrySubject(queue, s.Name)}
	}
	durable := s.Name + "_" + queue + "_" + string(s.Lane) // unique, because names, types and lanes hold no underscore
	return place{
		s,
		workStream,
		durable,
		prefix + ".ev." + s.Type + "." + string(s.Lane) + ".*",
		prefix + ".to." + durable,
	}
}

func words(messageType string) string { return strings.ReplaceAll(messageType, ".", "_") }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}
