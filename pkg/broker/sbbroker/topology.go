package sbbroker

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

// Topology says which entities exist: two topics for each message type, one for each lane, with a subscription for each
// consumer name on both. They are created by the one who sets up the namespace (Bicep, Terraform), never by the
// pipeline: it needs no right to manage entities. Inbound queues are not part of it; see Topology.Inbound.
type Topology struct {
	Prefix string // of all entity names; default "taxiway"
	Topics []Topic
}

// Topic carries the messages of one type, in both lanes, to any number of subscriptions.
type Topic struct {
	Type          string
	Subscriptions []string // names of consumers, 50 characters at most
}

// Settings that the entities should have, for the one who creates them.
const (
	// LockDuration is how long the broker waits for a dead consumer. Azure takes 5 s to 5 min.
	LockDuration = time.Minute
	// DuplicateWindow is how long a topic remembers message ids; duplicate detection has to be on.
	DuplicateWindow = 10 * time.Minute
	// MaxDeliveryCount is after how many crashes and lost locks the broker itself dead-letters a message. Attempts
	// of handlers do not count: each is a copy.
	MaxDeliveryCount = 10
)

// Name returns the name of the topic of a message type and lane.
func (t Topology) Name(messageType string, lane broker.Lane) string {
	return t.entity(messageType + "." + string(cmp.Or(lane, broker.Bulk)))
}

func (t Topology) entity(name string) string { return cmp.Or(t.Prefix, "taxiway") + "." + name }

// Inbound names the queues of an inbound type. Its source may send to the first and needs no other right; duplicate
// detection is off there, because senders choose their ids freely. The second holds our own copies, with duplicate
// detection; the source must not be able to send to it. The third is optional: the reply address, which the source may
// read.
func (t Topology) Inbound(messageType string) (queue, retry, replies string) {
	queue = t.entity(messageType)
	return queue, queue + ".retry", queue + ".replies"
}

// isInbound reports whether an entity is a queue of an inbound type.
func (t Topology) isInbound(entity string) bool {
	typ, ours := strings.CutPrefix(entity, t.entity(""))
	return ours && broker.IsInbound(typ)
}

// source is an entity that one receives from.
type source struct {
	typ     string
	lane    broker.Lane
	name    string // of the consumer
	entity  string
	copies  string // the entity for copies: retries and replays
	queue   bool
	foreign bool // other programs fill it
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
		for _, lane := range broker.Lanes() {
			for _, sub := range topic.Subscriptions {
				name := t.Name(topic.Type, lane)
				found = append(found, source{typ: topic.Type, lane: lane, name: sub, entity: name, copies: name})
			}
		}
	}
	return found
}

// inbound are the two queues that an inbound subscription receives from.
func (t Topology) inbound(sub broker.Subscription) []source {
	queue, retry, _ := t.Inbound(sub.Type)
	ours := source{typ: sub.Type, lane: sub.Lane, name: sub.Name, entity: retry, copies: retry, queue: true}
	foreign := ours
	foreign.entity = queue
	foreign.foreign = true
	return []source{foreign, ours}
}

// check refuses names that no subscription could have.
func (t Topology) check() error {
	if len(t.all()) == 0 {
		return fault.New(fault.MessageMalformed, "a topology without subscriptions carries nothing")
	}
	for _, topic := range t.Topics {
		for i, name := range append([]string{"any"}, topic.Subscriptions...) {
			_, err := broker.Subscription{Name: name, Type: topic.Type}.Normal()
			if err != nil || slices.Contains(topic.Subscriptions[:max(i-1, 0)], name) {
				return fault.Newf(
					fault.MessageMalformed,
					"the topology's topic %s: a type or subscription that cannot be, or is there twice",
					topic.Type,
				)
			}
		}
	}
	return nil
}

// sources lists what a subscription receives from. Inbound queues are known from then on.
func (b *Broker) sources(sub broker.Subscription) []source {
	if !broker.IsInbound(sub.Type) {
		others := func(s source) bool { return s.name != sub.Name || s.typ != sub.Type || s.lane != sub.Lane }
		return slices.DeleteFunc(b.Topology.all(), others)
	}
	found := b.Topology.inbound(sub)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Contains(b.inbound, found[0]) {
		b.inbound = append(b.inbound, found...)
	}
	return found
}

// known lists everything that this process could receive from: the topology, and the inbound queues it consumes or
// consumed.
func (b *Broker) known() []source {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append(b.Topology.all(), b.inbound...)
}
