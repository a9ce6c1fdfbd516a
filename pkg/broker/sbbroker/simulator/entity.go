package simulator

import (
	"fmt"
	"strings"
)

// Address parts ("AMQP 1.0 in Azure Service Bus protocol guide"; internal/namespace.go
// and receiver.go of azservicebus). Service Bus compares addresses without case.
const (
	cbsAddress       = "$cbs"
	managementSuffix = "/$management"
	deadLetterSuffix = "/$DeadLetterQueue"
	transferSuffix   = "/$Transfer/$DeadLetterQueue"
	subscriptionPart = "/Subscriptions/"
)

// entity is what an address names. A queue has both halves, a topic only an
// inbox, a subscription and a dead-letter sub-queue only a store.
type entity struct {
	name  string
	inbox *inbox
	store *store
	links map[*link]struct{}
	count Operations
}

func newEntity(name string) *entity {
	return &entity{name: name, links: map[*link]struct{}{}}
}

func key(address string) string { return strings.ToLower(address) }

// AddQueue creates a queue while the server runs.
func (s *Server) AddQueue(q Queue) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkName(q.Name, maxNameLength); err != nil {
		return err
	}
	in, err := q.Inbox.withDefaults()
	if err != nil {
		return fmt.Errorf("queue %s: %w", q.Name, err)
	}
	out, err := q.Outbox.withDefaults()
	if err != nil {
		return fmt.Errorf("queue %s: %w", q.Name, err)
	}
	if s.entities[key(q.Name)] != nil {
		return fmt.Errorf("%w: %s exists", ErrTopology, q.Name)
	}
	e := newEntity(q.Name)
	e.inbox = newInbox(&s.clock, in)
	s.addStore(e, e.inbox, out)
	e.inbox.sequence = &e.store.sequence // scheduled and stored messages share one numbering
	e.inbox.targets = []*store{e.store}
	return nil
}

// AddTopic creates a topic while the server runs.
func (s *Server) AddTopic(t Topic) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkName(t.Name, maxNameLength); err != nil {
		return err
	}
	in, err := t.withDefaults()
	if err != nil {
		return fmt.Errorf("topic %s: %w", t.Name, err)
	}
	if t.DefaultMessageTimeToLive < 0 {
		return fmt.Errorf("%w: topic %s: DefaultMessageTimeToLive %v", ErrTopology, t.Name, t.DefaultMessageTimeToLive)
	}
	if s.entities[key(t.Name)] != nil {
		return fmt.Errorf("%w: %s exists", ErrTopology, t.Name)
	}
	e := newEntity(t.Name)
	e.inbox = newInbox(&s.clock, in)
	e.inbox.ttl = t.DefaultMessageTimeToLive
	s.entities[key(t.Name)] = e
	for _, sub := range t.Subscriptions {
		if err := s.addSubscription(e, sub); err != nil {
			return err
		}
	}
	return nil
}

// AddSubscription creates a subscription; it sees what is sent from now on.
func (s *Server) AddSubscription(topic string, sub Subscription) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entities[key(topic)]
	if e == nil || e.store != nil {
		return fmt.Errorf("%w: no topic %s", ErrTopology, topic)
	}
	return s.addSubscription(e, sub)
}

func (s *Server) addSubscription(topic *entity, sub Subscription) error {
	if err := checkName(sub.Name, maxSubscriptionLength); err != nil {
		return err
	}
	out, err := sub.withDefaults()
	if err != nil {
		return fmt.Errorf("subscription %s: %w", sub.Name, err)
	}
	name := topic.name + subscriptionPart + sub.Name
	if s.entities[key(name)] != nil {
		return fmt.Errorf("%w: %s exists", ErrTopology, name)
	}
	e := newEntity(name)
	s.addStore(e, topic.inbox, out)
	topic.inbox.targets = append(topic.inbox.targets, e.store)
	return nil
}

// addStore gives e its store and the dead-letter sub-queue beside it: every
// queue and subscription has one ("Overview of Service Bus dead-letter queues").
func (s *Server) addStore(e *entity, owner *inbox, out Outbox) {
	e.store = newStore(&s.clock, e.name, out, owner)
	dead := newEntity(e.name + deadLetterSuffix)
	dead.store = newStore(&s.clock, dead.name, out, owner)
	e.store.deadLetters = dead.store
	s.entities[key(e.name)] = e
	s.entities[key(dead.name)] = dead
}
