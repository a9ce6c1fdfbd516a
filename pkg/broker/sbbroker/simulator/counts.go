package simulator

import "fmt"

// Counts says how many messages an entity holds, by state.
type Counts struct {
	Active     int // waiting for a receiver
	Locked     int // with a receiver
	Deferred   int // set aside, not locked
	Scheduled  int // waiting for their time (queues and topics)
	DeadLetter int // in the dead-letter sub-queue
}

// Total is everything but the dead letters.
func (c Counts) Total() int { return c.Active + c.Locked + c.Deferred + c.Scheduled }

// Counts counts the messages of a queue, topic, subscription
// ("topic/Subscriptions/name") or dead-letter sub-queue ("queue/$DeadLetterQueue").
// An entity that does not exist is an error: a test that misspells a name must not
// count zero.
func (s *Server) Counts(entity string) (Counts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entities[key(entity)]
	if e == nil {
		return Counts{}, fmt.Errorf("%w: %s", ErrNoEntity, entity)
	}
	return e.counts(), nil
}

// Purge drops every message of every entity, locked, scheduled and dead ones too, as somebody does who empties a
// namespace by hand. The ids that duplicate detection remembers stay remembered.
func (s *Server) Purge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entities {
		if e.inbox != nil {
			for _, m := range e.inbox.scheduled {
				e.inbox.unschedule(m)
			}
		}
		if e.store != nil {
			for _, m := range e.store.messages {
				e.store.remove(m)
			}
		}
	}
}

func (e *entity) counts() Counts {
	var c Counts
	if e.inbox != nil {
		c.Scheduled = len(e.inbox.scheduled)
	}
	if e.store == nil {
		return c
	}
	c.Active = len(e.store.waiting)
	c.Locked = len(e.store.locked)
	c.Deferred = len(e.store.messages) - c.Active - c.Locked
	if e.store.deadLetters != nil {
		c.DeadLetter = len(e.store.deadLetters.messages)
	}
	return c
}
