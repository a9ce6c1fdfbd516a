package sbbroker

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

// Topology says which entities exist: a topic for each message type, with a subscription for each consumer name. They are
// created by whoever sets up the namespace (Bicep, Terraform), never by the pipeline: it needs no right to manage entities.
// Inbound queues are not part of it; see Topology.Inbound.
type Topology struct {
	Prefix string // of all entity names; default "taxiway"
	Topics []Topic
}

// Topic carries the messages of one type to any number of subscriptions.
type Topic struct {
	Type          string
	Subscriptions []string // names of consumers, 50 characters at most
}

// Settings that the entities should have, for whoever creates them.
const (
	// LockDuration is how long the broker waits for a dead consumer. Azure takes 5 s to 5 min.
	LockDuration = time.Minute
	// DuplicateWindow is how long a topic remembers message ids; duplicate detection has to be on.
	DuplicateWindow = 10 * time.Minute
	// MaxDeliveryCount is after how many crashes and lost locks the broker itself parks a message. Attempts of handlers do
	// not reach it: they become copies before.
	MaxDeliveryCount = 10
)

// Filter is the SQL filter that keeps messages addressed to other subscriptions of the topic away. Without it consumers put
// them aside unseen, which costs operations, and they pile up where nobody consumes.
func Filter(subscription string) string {
	return fmt.Sprintf("[%s] IS NULL OR [%s] = '%s'", propTo, propTo, subscription)
}

// Name returns the name of the topic of a message type, or of an inbound queue.
func (t Topology) Name(messageType string) string {
	prefix := t.Prefix
	if prefix == "" {
		prefix = "taxiway"
	}
	return prefix + "." + messageType
}

// Inbound names the queues of an inbound type. Its source may send to the first and needs no other right; duplicate detection is
// off there, because senders choose their ids freely. The second holds our own copies, with duplicate detection; the source
// must not be able to send to it. The third is optional: the mailbox of answers, which the source may read.
func (t Topology) Inbound(messageType string) (queue, retry, replies string) {
	queue = t.Name(messageType)
	return queue, queue + ".retry", queue + ".replies"
}

// isInbound reports whether an entity is a queue of an inbound type.
func (t Topology) isInbound(entity string) bool {
	typ, ours := strings.CutPrefix(entity, t.Name(""))
	return ours && broker.IsInbound(typ)
}

// source is an entity that one receives from.
type source struct {
	typ     string
	name    string // of the consumer
	entity  string
	copies  string // the entity for copies: retries and replays
	queue   bool
	foreign bool // others fill it
}

// String names the entity and the subscription, for logs.
func (s source) String() string { return s.entity + "/" + s.name }

func (s source) receiver(c *azservicebus.Client, sub azservicebus.SubQueue) (*azservicebus.Receiver, error) {
	o := &azservicebus.ReceiverOptions{SubQueue: sub}
	if s.queue {
		return c.NewReceiverForQueue(s.entity, o)
	}
	return c.NewReceiverForSubscription(s.entity, s.name, o)
}

// all lists the subscriptions of all topics.
func (t Topology) all() []source {
	var found []source
	for _, topic := range t.Topics {
		for _, sub := range topic.Subscriptions {
			name := t.Name(topic.Type)
			found = append(found, source{typ: topic.Type, name: sub, entity: name, copies: name})
		}
	}
	return found
}

// inboundSources are the two queues that an inbound subscription receives from.
func (t Topology) inboundSources(sub broker.Subscription) []source {
	queue, retry, _ := t.Inbound(sub.Type)
	return []source{
		{typ: sub.Type, name: sub.Name, entity: queue, copies: retry, queue: true, foreign: true},
		{typ: sub.Type, name: sub.Name, entity: retry, copies: retry, queue: true},
	}
}

// check refuses names that no subscription could have.
func (t Topology) check() error {
	if len(t.Topics) == 0 {
		return fault.New(fault.MessageMalformed, "a topology without topics carries nothing")
	}
	for _, topic := range t.Topics {
		for i, name := range append([]string{"any"}, topic.Subscriptions...) {
			_, err := broker.Subscription{Name: name, Type: topic.Type}.Normal()
			if err != nil || strings.HasSuffix(topic.Type, "*") || slices.Contains(topic.Subscriptions[:max(i-1, 0)], name) {
				return fault.Newf(fault.MessageMalformed, "the topology's topic %s: a type or subscription that cannot be, or is there twice", topic.Type)
			}
		}
	}
	return nil
}

// sources lists what a subscription receives from. Inbound queues are known from then on.
func (b *Broker) sources(sub broker.Subscription) []source {
	var found []source
	if broker.IsInbound(sub.Type) {
		found = b.Topology.inboundSources(sub)
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, s := range found {
			if !slices.Contains(b.inbound, s) {
				b.inbound = append(b.inbound, s)
			}
		}
		return found
	}
	for _, s := range b.Topology.all() {
		if s.name == sub.Name && sub.Type == s.typ {
			found = append(found, s)
		}
	}
	return found
}

// known lists everything that this process could receive from: the topology, and the inbound queues it consumes or consumed.
func (b *Broker) known() []source {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append(b.Topology.all(), b.inbound...)
}
