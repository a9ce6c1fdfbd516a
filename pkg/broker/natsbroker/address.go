package natsbroker

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"taxiway.example/pkg/broker"
)

// names builds the names of streams, subjects and consumers. Tenants and message ids stand in them only as digests: they may
// hold characters that mean something in a subject, and subjects are seen by everybody who watches the server.
type names struct{ prefix string }

func (n names) work() string { return n.prefix + "-work" }
func (n names) dead() string { return n.prefix + "-dead-letters" }

// Subjects of the work stream: ev.<type>.<tenant> is published once for everybody, to.<durable> is for one subscription. That
// of an inbound queue's subscription is in the queue's own stream.
func (n names) event(messageType, tenant string) string {
	return n.prefix + ".ev." + messageType + "." + digest(tenant)
}

func (n names) to(durable string) string {
	if name, queue := queueOf(durable); queue != "" {
		return n.retry(queue, name)
	}
	return n.prefix + ".to." + durable
}

// parking is the subject of one parked message. It holds one message at most, which makes parking safe to repeat.
func (n names) deadLetter(subscription, id string) string {
	return n.prefix + ".dlq." + subscription + "." + digest(id)
}

func (n names) workSubjects() []string { return []string{n.prefix + ".ev.>", n.prefix + ".to.>"} }
func (n names) deadSubjects() []string { return []string{n.prefix + ".dlq.>"} }

// streamOf names the stream that keeps what we publish to a subject.
func (n names) streamOf(subject string) string {
	if strings.HasPrefix(subject, n.prefix+".dlq.") {
		return n.dead()
	}
	if words, ours := strings.CutPrefix(subject, n.prefix+".retry."); ours {
		queue, _, _ := strings.Cut(words, ".")
		return n.prefix + "-" + queue
	}
	return n.work()
}

// filters are the subjects of a subscription.
func (n names) filters(s broker.Subscription) []string {
	if broker.IsInbound(s.Type) {
		return []string{n.inbound(s.Type), n.to(durable(s))}
	}
	published := n.prefix + ".ev." + s.Type + ".*"
	if words, wild := strings.CutSuffix(s.Type, ".*"); wild {
		published = n.prefix + ".ev." + words + ".*.>"
	}
	return []string{published, n.to(durable(s))}
}

// typeOf reads the type from a subject; it serves messages that come without our headers.
func (n names) typeOf(subject string) string {
	words, found := strings.CutPrefix(subject, n.prefix+".ev.")
	if i := strings.LastIndexByte(words, '.'); found && i > 0 {
		return words[:i]
	}
	return ""
}

// durable names the consumer of a subscription. Names and types hold no underscore and no capital, so that it is unique.
func durable(s broker.Subscription) string {
	return s.Name + "_" + strings.NewReplacer(".*", "_ALL", ".", "_").Replace(s.Type)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}
