package simulator

import (
	"errors"
	"fmt"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// ErrNoEntity is returned by the methods that take an entity's address.
var ErrNoEntity = errors.New("simulator: no such entity")

// Conditions (AMQP §2.8.15-18; "AMQP errors in Azure Service Bus"; errors.go of azservicebus).
const (
	condArgument         = "com.microsoft:argument-error"
	condConnectionForced = "amqp:connection:forced"
	condDecode           = "amqp:decode-error"
	condDetachForced     = "amqp:link:detach-forced"
	condErrantLink       = "amqp:session:errant-link"
	condFraming          = "amqp:connection:framing-error"
	condHandleInUse      = "amqp:session:handle-in-use"
	condLockLost         = "com.microsoft:message-lock-lost"
	condMessageSize      = "amqp:link:message-size-exceeded"
	condNotAllowed       = "amqp:not-allowed"
	condNotFound         = "amqp:not-found"
	condNotImplemented   = "amqp:not-implemented"
	condResourceLimit    = "amqp:resource-limit-exceeded"
	condServerBusy       = "com.microsoft:server-busy"
	condTransferLimit    = "amqp:link:transfer-limit-exceeded"
	condUnattachedHandle = "amqp:session:unattached-handle"
	condUnauthorized     = "amqp:unauthorized-access"
	condWindowViolation  = "amqp:session:window-violation"
)

func failure(condition, description string) *amqp.Error {
	return &amqp.Error{Condition: amqp.Symbol(condition), Description: description}
}

// sendFault is what happens to one transfer to an entity.
type sendFault struct {
	condition string // refuse with it
	cut       bool   // cut the connection instead of answering
	stored    bool   // after storing
}

func (in *inbox) nextFault() (sendFault, bool) {
	if len(in.faults) == 0 {
		return sendFault{}, false
	}
	f := in.faults[0]
	in.faults = in.faults[1:]
	return f, true
}

// ThrottleSends answers the next n transfers to a queue or topic with
// com.microsoft:server-busy ("Throttling operations on Azure Service Bus").
func (s *Server) ThrottleSends(entity string, n int) error {
	return s.RejectSends(entity, n, condServerBusy)
}

// RejectSends answers the next n transfers to a queue or topic with condition.
func (s *Server) RejectSends(entity string, n int, condition string) error {
	return s.planSends(entity, n, sendFault{condition: condition})
}

// CutSends cuts the connection on each of the next n transfers to a queue or
// topic, before the acknowledgement and, if stored, after the message is kept:
// the ambiguous send.
func (s *Server) CutSends(entity string, n int, stored bool) error {
	return s.planSends(entity, n, sendFault{cut: true, stored: stored})
}

func (s *Server) planSends(entity string, n int, f sendFault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entities[key(entity)]
	if e == nil || e.inbox == nil {
		return fmt.Errorf("%w: %s", ErrNoEntity, entity)
	}
	for range n {
		e.inbox.faults = append(e.inbox.faults, f)
	}
	return nil
}

// SetFull makes a queue or topic refuse messages as if its quota were used up,
// or stops that.
func (s *Server) SetFull(entity string, full bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entities[key(entity)]
	if e == nil || e.inbox == nil {
		return fmt.Errorf("%w: %s", ErrNoEntity, entity)
	}
	e.inbox.full = full
	return nil
}

// HoldCredit gives senders to a queue or topic no more credit than they have (a
// new link: none), or makes up for it. A sender without credit must wait.
func (s *Server) HoldCredit(entity string, hold bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entities[key(entity)]
	if e == nil || e.inbox == nil {
		return fmt.Errorf("%w: %s", ErrNoEntity, entity)
	}
	e.inbox.held = hold
	for l := range e.links {
		if l.in != nil && !hold {
			l.in.grant()
		}
	}
	return nil
}

// LoseSettlements carries out the next n settlements on links of a queue,
// subscription or dead-letter sub-queue without answering them.
func (s *Server) LoseSettlements(entity string, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entities[key(entity)]
	if e == nil || e.store == nil {
		return fmt.Errorf("%w: %s", ErrNoEntity, entity)
	}
	e.store.loseAcks += n
	return nil
}

// DetachLinks detaches every link of the entity, as Service Bus does when it
// moves one, and returns how many there were. An empty name means every entity.
func (s *Server) DetachLinks(entity string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for name, e := range s.entities {
		if entity != "" && name != key(entity) {
			continue
		}
		for l := range e.links {
			l.detach(failure(condDetachForced, "The link was force detached by the broker"))
			n++
		}
	}
	return n
}

// DropConnections cuts every connection without a word and returns how many there were.
func (s *Server) DropConnections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.conns)
	for c := range s.conns {
		c.abort()
	}
	return n
}

// RefuseConnections cuts each of the next n connections as soon as it is made.
func (s *Server) RefuseConnections(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse += n
}
