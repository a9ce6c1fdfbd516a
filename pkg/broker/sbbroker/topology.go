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
type Topology struct {
	Prefix string // of all entity names; default "taxiway"
	Topics []Topic
	Queues []Queue
}

// Topic carries the messages of one type to any number of subscriptions.
type Topic struct {
	Type          string
	Subscriptions []string // names of consumers, 50 characters at most
}

// Queue carries the messages of one type to one consumer; an OEM sends to it without being able to read.
type Queue struct {
	Type     string
	Consumer string
}

// Settings that every entity should have, for whoever creates it.
const (
	// LockDuration is how long the broker waits for a dead consumer. Azure takes 5 s to 5 min.
	LockDuration = time.Minute
	// DuplicateWindow is how long a topic or queue remembers message ids; duplicate detection has to be on.
	DuplicateWindow = 10 * time.Minute
	// MaxDeliveryCount is after how many crashes and lost locks the broker itself parks a message. Attempts of handlers are
	// not counted by it: they come as copies before they reach it.
	MaxDeliveryCount = 10
)

// Filter is the SQL filter that keeps messages addressed to other subscriptions of the topic away. Without it consumers put
// them aside unseen, which costs an operation each.
func Filter(subscription string) string {
	return fmt.Sprintf("[%s] IS NULL OR [%s] = '%s'", propTo, propTo, subscription)
}

// Name returns the name of the topic or queue of a message type.
func (t Topology) Name(messageType string) string {
	prefix := t.Prefix
	if prefix == "" {
		prefix = "taxiway"
	}
	return prefix + "." + messageType
}

// source is an entity that one receives from.
type source struct {
	typ    string
	name   string // of the consumer
	entity string
	queue  bool
}

func (s source) String() string { return s.typ + "/" + s.name }

func (s source) receiver(c *azservicebus.Client, sub azservicebus.SubQueue) (*azservicebus.Receiver, error) {
	o := &azservicebus.ReceiverOptions{SubQueue: sub}
	if s.queue {
		return c.NewReceiverForQueue(s.entity, o)
	}
	return c.NewReceiverForSubscription(s.entity, s.name, o)
}

// sources lists what matches; both arguments may be empty.
func (t Topology) sources(name string, matches func(messageType string) bool) []source {
	var found []source
	add := func(s source) {
		if (name == "" || name == s.name) && (matches == nil || matches(s.typ)) {
			found = append(found, s)
		}
	}
	for _, topic := range t.Topics {
		for _, sub := range topic.Subscriptions {
			add(source{typ: topic.Type, name: sub, entity: t.Name(topic.Type)})
		}
	}
	for _, q := range t.Queues {
		add(source{typ: q.Type, name: q.Consumer, entity: t.Name(q.Type), queue: true})
	}
	return found
}

// check refuses names that no subscription could have.
func (t Topology) check() error {
	all := t.sources("", nil)
	if len(t.Topics)+len(t.Queues) == 0 {
		return fault.New(fault.MessageMalformed, "a topology without topics and queues carries nothing")
	}
	for i, s := range all {
		if _, err := (broker.Subscription{Name: s.name, Type: s.typ}).Normal(); err != nil || strings.HasSuffix(s.typ, "*") {
			return fault.Newf(fault.MessageMalformed, "the topology's subscription %s has no usable name or type", s)
		}
		if slices.Contains(all[:i], s) {
			return fault.Newf(fault.MessageMalformed, "the topology's subscription %s is there twice", s)
		}
	}
	return nil
}
