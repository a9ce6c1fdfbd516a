package simulator

import (
	"container/heap"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// consumer takes messages from a store: a receiver link with credit.
type consumer interface {
	// ready says whether one more message may be handed over now.
	ready() bool
	// take hands a message over. It locks or removes it in its store.
	take(m *message)
}

// store holds the messages of a queue, a subscription or a dead-letter sub-queue.
type store struct {
	clock       *clock
	name        string
	cfg         Outbox
	owner       *inbox // whose quota is used
	deadLetters *store // nil in a dead-letter sub-queue
	sequence    int64
	messages    map[int64]*message
	waiting     ready
	locked      map[amqp.UUID]*message
	consumers   []consumer
	turn        int
	loseAcks    int // fault injection: settlements whose answer is lost
}

func newStore(c *clock, name string, cfg Outbox, owner *inbox) *store {
	return &store{
		clock:    c,
		name:     name,
		cfg:      cfg,
		owner:    owner,
		messages: map[int64]*message{},
		locked:   map[amqp.UUID]*message{},
	}
}

// add stores a message and returns its sequence number. enqueueSequence is the
// topic's number, 0 when there is no topic; limit is the topic's TTL.
func (s *store) add(m *amqp.Message, enqueueSequence int64, limit time.Duration) int64 {
	s.sequence++
	msg := &message{
		amqp:            m,
		sequence:        s.sequence,
		enqueueSequence: enqueueSequence,
		enqueued:        s.clock.Now(),
		size:            int64(m.Size()),
	}
	if enqueueSequence == 0 {
		msg.enqueueSequence = msg.sequence
	}
	// "Message expiration": the entity's default caps the message's own; the
	// clock starts when the message is enqueued, not when it was scheduled.
	ttl := smallest(s.cfg.DefaultMessageTimeToLive, limit)
	if h := m.Header.TTL; h != nil {
		ttl = smallest(ttl, time.Duration(*h)*time.Millisecond)
	}
	if ttl > 0 && s.deadLetters != nil {
		msg.expires = msg.enqueued.Add(ttl)
	}
	s.keep(msg)
	return msg.sequence
}

// smallest is the smaller of two times to live, where 0 means for ever.
func smallest(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func (s *store) keep(msg *message) {
	s.messages[msg.sequence] = msg
	s.owner.used += msg.size
	heap.Push(&s.waiting, msg)
	if !msg.expires.IsZero() {
		msg.timer = s.clock.at(msg.expires, func() { s.expire(msg) })
	}
}

func (s *store) remove(msg *message) {
	s.unlock(msg)
	s.clock.stop(msg.timer)
	if msg.index >= 0 {
		heap.Remove(&s.waiting, msg.index)
	}
	delete(s.messages, msg.sequence)
	s.owner.used -= msg.size
}

// expire ends a message's time to live. A locked message may still be settled;
// a deferred one is not purged ("Message expiration").
func (s *store) expire(msg *message) {
	if msg.lock != nil || msg.state == stateDeferred {
		return
	}
	s.remove(msg)
	if s.cfg.DeadLetteringOnMessageExpiration {
		s.bury(msg, "TTLExpiredException", "The message expired and was dead lettered.")
	}
}

// bury puts a removed message into the dead-letter sub-queue. The reason and the
// description become application properties ("Overview of Service Bus
// dead-letter queues"); they replace whatever a sender had put there.
func (s *store) bury(msg *message, reason, description string) {
	dead := s.deadLetters
	dead.sequence++
	deadLetter := &message{
		amqp:            msg.amqp,
		sequence:        dead.sequence,
		enqueueSequence: msg.enqueueSequence,
		enqueued:        msg.enqueued,
		failed:          msg.failed,
		deadSource:      s.name,
	}
	deadLetter.modify(amqp.Map{{Key: propReason, Value: reason}, {Key: propDescription, Value: description}})
	deadLetter.size = int64(deadLetter.amqp.Size())
	dead.keep(deadLetter)
	dead.dispatch()
}

// dispatch hands waiting messages to consumers that have credit, in turn.
func (s *store) dispatch() {
	for len(s.waiting) > 0 {
		c := s.next()
		if c == nil {
			return
		}
		c.take(s.waiting[0])
	}
}

func (s *store) next() consumer {
	for range s.consumers {
		s.turn = (s.turn + 1) % len(s.consumers)
		if c := s.consumers[s.turn]; c.ready() {
			return c
		}
	}
	return nil
}

func (s *store) subscribe(c consumer) { s.consumers = append(s.consumers, c) }

func (s *store) unsubscribe(c consumer) {
	for i, other := range s.consumers {
		if other == c {
			s.consumers = append(s.consumers[:i:i], s.consumers[i+1:]...)
			return
		}
	}
}

// ready orders the messages that wait for a consumer by sequence number.
type ready []*message

// Len implements heap.Interface.
func (r ready) Len() int { return len(r) }

// Less implements heap.Interface: the message that came first goes first.
func (r ready) Less(i, j int) bool { return r[i].sequence < r[j].sequence }

// Swap implements heap.Interface.
func (r ready) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	r[i].index = i
	r[j].index = j
}

// Push implements heap.Interface.
func (r *ready) Push(x any) {
	m := x.(*message)
	m.index = len(*r)
	*r = append(*r, m)
}

// Pop implements heap.Interface.
func (r *ready) Pop() any {
	last := len(*r) - 1
	m := (*r)[last]
	(*r)[last] = nil
	*r = (*r)[:last]
	m.index = -1
	return m
}
