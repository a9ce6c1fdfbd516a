package natsbroker

import (
	"cmp"
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

// Subjects of the work stream: ev.<type>.<lane>.<tenant> is published once for everybody, to.<durable> is for one
// subscription.
func (n names) event(m broker.Message) string {
	return n.prefix + ".ev." + m.Type + "." + string(cmp.Or(m.Lane, broker.Bulk)) + "." + digest(m.Tenant)
}

// deadLetter is the subject of one dead letter. It holds one message at most, which makes storing it safe to repeat.
func (n names) deadLetter(subscription, id string) string {
	return n.prefix + ".dlq." + subscription + "." + digest(id)
}

func (n names) workSubjects() []string { return []string{n.prefix + ".ev.>", n.prefix + ".to.>"} }
func (n names) deadSubjects() []string { return []string{n.prefix + ".dlq.>"} }

// place is where the messages of a subscription lie.
type place struct {
	broker.Subscription
	stream  string
	durable string // the consumer
	subject string // what others publish to
	own     string // the subject of copies
}

func (n names) place(s broker.Subscription) place {
	s.Lane = cmp.Or(s.Lane, broker.Bulk)
	p := place{Subscription: s, stream: n.work(), durable: durable(s)}
	if broker.IsInbound(s.Type) {
		queue := words(s.Type)
		p.stream, p.subject, p.own = n.prefix+"-"+queue, n.inbound(s.Type), n.retry(queue, s.Name)
		return p
	}
	p.subject, p.own = n.prefix+".ev."+s.Type+"."+string(s.Lane)+".*", n.prefix+".to."+p.durable
	return p
}

// durable names the consumer of a subscription. Names, types and lanes hold no underscore, so that it is unique.
func durable(s broker.Subscription) string {
	if broker.IsInbound(s.Type) {
		return s.Name + "_" + words(s.Type)
	}
	return s.Name + "_" + words(s.Type) + "_" + string(cmp.Or(s.Lane, broker.Bulk))
}

func words(messageType string) string { return strings.ReplaceAll(messageType, ".", "_") }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}
