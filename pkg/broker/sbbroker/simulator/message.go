package simulator

import (
	"encoding/hex"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator/internal/amqp"
)

// Annotations ("AMQP 1.0 in Azure Service Bus protocol guide"; message.go of
// azservicebus, which asserts the wire types without checking).
const (
	annSequence        = "x-opt-sequence-number"
	annEnqueueSequence = "x-opt-enqueue-sequence-number"
	annEnqueued        = "x-opt-enqueued-time"
	annLockedUntil     = "x-opt-locked-until"
	annLockToken       = "x-opt-lock-token" //nolint:gosec // a name, not a credential
	annScheduled       = "x-opt-scheduled-enqueue-time"
	annState           = "x-opt-message-state"
	annDeadSource      = "x-opt-deadletter-source"
	annPartition       = "x-opt-partition-key"
)

// States of a message as x-opt-message-state tells them.
const (
	stateActive    int32 = 0
	stateDeferred  int32 = 1
	stateScheduled int32 = 2
)

// Limits ("Service Bus quotas").
const (
	maxMessageSize     = 256 << 10
	maxMessageIDLength = 128
	maxPropertiesSize  = 64 << 10
	maxPropertySize    = 32 << 10
)

// message is one message in one store, or scheduled in an inbox.
type message struct {
	amqp            *amqp.Message
	sequence        int64
	enqueueSequence int64
	enqueued        time.Time
	expires         time.Time // zero: never
	state           int32
	failed          uint32 // deliveries that counted
	size            int64
	deadSource      string
	lock            *lock
	timer           *timer // schedule or expiry
	index           int    // place in the ready heap, -1 outside
}

// lock is a peek-lock.
type lock struct {
	token amqp.UUID
	until time.Time
	timer *timer
}

// encode renders the message as the receiver gets it.
func (m *message) encode() []byte {
	out := m.amqp.Clone()
	// .NET and azservicebus read the number of earlier attempts from the header.
	out.Header.DeliveryCount = m.failed
	if !m.expires.IsZero() {
		ttl := amqp.Milliseconds(m.expires.Sub(m.enqueued).Milliseconds())
		out.Header.TTL = &ttl
	}
	out.DeliveryAnnotations = nil
	out.Annotations = m.annotations()
	if m.lock != nil {
		out.DeliveryAnnotations = amqp.Map{{Key: amqp.Symbol(annLockToken), Value: m.lock.token}}
	}
	return out.Append(nil)
}

func (m *message) annotations() amqp.Map {
	a := make(amqp.Map, 0, len(m.amqp.Annotations)+6)
	a = append(a, m.amqp.Annotations...)
	a = append(a,
		amqp.Pair{Key: amqp.Symbol(annSequence), Value: m.sequence},
		amqp.Pair{Key: amqp.Symbol(annEnqueueSequence), Value: m.enqueueSequence},
		amqp.Pair{Key: amqp.Symbol(annEnqueued), Value: amqp.Timestamp(m.enqueued.UnixMilli())},
		amqp.Pair{Key: amqp.Symbol(annState), Value: m.state},
	)
	if m.deadSource != "" {
		a = append(a, amqp.Pair{Key: amqp.Symbol(annDeadSource), Value: m.deadSource})
	}
	if m.lock != nil {
		a = append(a, amqp.Pair{Key: amqp.Symbol(annLockedUntil), Value: amqp.Timestamp(m.lock.until.UnixMilli())})
	}
	return a
}

// sent prepares what a client sent for storing: the broker's own annotations are
// the broker's, whatever a client that resends a received message puts there, and
// every message has an id (Azure/azure-service-bus-java#191): the Node client may
// send without one, and cannot settle without one.
func sent(m *amqp.Message) *amqp.Message {
	own := []string{annSequence, annEnqueueSequence, annEnqueued, annLockedUntil, annState, annDeadSource}
	for _, name := range own {
		if m.Annotations.Get(name) != nil {
			m.Annotations = m.Annotations.Delete(name)
		}
	}
	m.Header.DeliveryCount = 0
	if m.Properties.MessageID == nil {
		m.SetMessageID(hex.EncodeToString(newUUID()))
	}
	return m
}

// modify merges properties-to-modify into the application properties ("AMQP 1.0
// in Azure Service Bus: request-response-based operations").
func (m *message) modify(changes amqp.Map) {
	if len(changes) == 0 {
		return
	}
	properties := m.amqp.Application
	for _, p := range changes {
		properties = properties.Set(plain(p.Key), p.Value)
	}
	m.amqp = m.amqp.Clone()
	m.amqp.SetApplication(properties)
}

// plain turns a symbol key into the string key application properties have.
func plain(k any) any {
	if s, ok := k.(amqp.Symbol); ok {
		return string(s)
	}
	return k
}

// validate refuses what Azure refuses ("Service Bus quotas"), and what the
// receiving client could not survive because of its wire type.
func validate(m *amqp.Message) *amqp.Error {
	if id, ok := m.Properties.MessageID.(string); ok && len(id) > maxMessageIDLength {
		return failure(condArgument, "The message id is longer than 128 characters")
	}
	if len(m.Properties.GroupID) > maxMessageIDLength {
		return failure(condArgument, "The session id is longer than 128 characters")
	}
	if m.ApplicationSize() > maxPropertiesSize {
		return failure(condArgument, "The application properties are larger than 64 KB")
	}
	for _, p := range m.Application {
		if err := validateProperty(p); err != nil {
			return err
		}
	}
	switch m.Annotations.Get(annScheduled).(type) {
	case nil, amqp.Timestamp:
	default:
		return failure(condArgument, "The scheduled enqueue time is not a timestamp")
	}
	switch m.Annotations.Get(annPartition).(type) {
	case nil, string:
	default:
		return failure(condArgument, "The partition key is not a string")
	}
	return nil
}

// validateProperty holds AMQP §3.2.5: string keys, simple values.
func validateProperty(p amqp.Pair) *amqp.Error {
	if _, ok := p.Key.(string); !ok {
		return failure(condDecode, "An application property has a key that is not a string")
	}
	switch v := p.Value.(type) {
	case amqp.List, amqp.Map, amqp.Array, amqp.Described:
		return failure(condDecode, "An application property has a value that is not of a simple type")
	case string:
		if len(v) > maxPropertySize {
			return failure(condArgument, "An application property is larger than 32 KB")
		}
	case []byte:
		if len(v) > maxPropertySize {
			return failure(condArgument, "An application property is larger than 32 KB")
		}
	}
	return nil
}
