package simulator

import (
	"container/heap"
	"crypto/rand"
	"fmt"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// Application properties of a dead letter ("Overview of Service Bus dead-letter queues").
const (
	propReason      = "DeadLetterReason"
	propDescription = "DeadLetterErrorDescription"
)

// decision is what a consumer wants done with a locked message.
type decision struct {
	kind        decisionKind
	changes     amqp.Map
	reason      string
	description string
}

type decisionKind int

// Decisions, as "Message transfers, locks, and settlement" names them.
const (
	complete decisionKind = iota
	abandon
	release // the SDK's own return of a message it did not want: not an attempt
	deferred
	deadLetter
)

// acquire peek-locks a message and returns the token.
func (s *store) acquire(msg *message) amqp.UUID {
	token := amqp.UUID(newUUID())
	if msg.index >= 0 {
		heap.Remove(&s.waiting, msg.index)
	}
	msg.lock = &lock{token: token}
	s.locked[token] = msg
	s.renew(msg)
	return token
}

// newUUID makes a random UUID, version 4.
func newUUID() []byte {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return b
}

// renew starts the lock duration again ("Message transfers, locks, and
// settlement": renewable without limit).
func (s *store) renew(msg *message) time.Time {
	l := msg.lock
	s.clock.stop(l.timer)
	l.until = s.clock.Now().Add(s.cfg.LockDuration)
	l.timer = s.clock.at(l.until, func() { s.lockExpired(msg) })
	return l.until
}

func (s *store) unlock(msg *message) {
	if msg.lock == nil {
		return
	}
	s.clock.stop(msg.lock.timer)
	delete(s.locked, msg.lock.token)
	msg.lock = nil
}

// lockExpired gives a message back. It counts as a failed delivery, but not in a
// dead-letter sub-queue (Azure/azure-sdk-for-net#53437).
func (s *store) lockExpired(msg *message) {
	if s.deadLetters != nil {
		msg.failed++
	}
	s.back(msg)
	s.dispatch()
}

// settle does what the decision says to the message locked under token.
func (s *store) settle(token amqp.UUID, v decision) *amqp.Error {
	msg := s.locked[token]
	if msg == nil {
		return failure(
			condLockLost,
			"The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue",
		)
	}
	switch v.kind {
	case complete:
		s.remove(msg)
	case abandon:
		msg.failed++
		msg.modify(v.changes)
		s.back(msg)
	case release:
		s.back(msg)
	case deferred:
		msg.modify(v.changes)
		msg.state = stateDeferred
		s.back(msg)
	case deadLetter:
		if s.deadLetters == nil {
			// "Overview of Service Bus dead-letter queues": a dead letter cannot be dead-lettered again.
			return failure(condNotAllowed, "A message in a dead-letter sub-queue cannot be dead-lettered")
		}
		s.remove(msg)
		msg.modify(v.changes)
		s.bury(msg, v.reason, v.description)
	}
	s.dispatch()
	return nil
}

// back unlocks a message and decides where it stands now.
func (s *store) back(msg *message) {
	s.unlock(msg)
	switch {
	case s.deadLetters != nil && int(msg.failed) >= s.cfg.MaxDeliveryCount:
		// "Overview of Service Bus dead-letter queues", maximum delivery count.
		s.remove(msg)
		s.bury(msg, "MaxDeliveryCountExceeded",
			fmt.Sprintf("Message could not be consumed after %d delivery attempts.", s.cfg.MaxDeliveryCount))
	case msg.state == stateDeferred:
		// it waits for receive-by-sequence-number
	case !msg.expires.IsZero() && !msg.expires.After(s.clock.Now()):
		s.expire(msg)
	default:
		heap.Push(&s.waiting, msg)
	}
}
