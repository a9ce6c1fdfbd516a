// Package broker is the seam between the pipeline and a message broker: publish, consume, and the desk of parked messages.
//
// The seam abstracts the decision, not the message: a [Handler] returns nil, [Retry] or [DeadLetter], and the adapter
// expresses that in its broker's verbs. The suite in brokertest is the contract; every adapter passes it.
//
// Delivery is at least once. The adapter keeps a delivery leased until its settlement has succeeded, so that a slow handler
// is not overtaken by a second delivery; after a crash, redelivery is normal, and handlers are idempotent.
package broker

import (
	"context"
	"time"
)

// MaxBody is the largest body, in bytes, that every adapter carries: Azure Service Bus Standard allows 256 KB a message,
// properties included.
const MaxBody = 200 << 10

// Message is what is published. [Message.Check] says what every adapter refuses.
type Message struct {
	ID        string            // unique and stable: publishing the same ID twice within the dedupe window stores it once
	Type      string            // routes the message: lower-case words joined by dots, e.g. "devices.collected.v1"
	Tenant    string            // may be empty for messages of no tenant; never used raw in a broker address
	Headers   map[string]string // names: lower-case letters, digits and dashes; values: UTF-8; MaxHeaders in all
	Body      []byte            // at most MaxBody bytes
	NotBefore time.Time         // not delivered earlier; zero means at once; for seconds, longer waits belong in the ledger
}

// Delivery is a message handed to a handler.
type Delivery struct {
	Message
	Attempt   int       // 1 for the first; counts Retry outcomes only, never lost leases or redeliveries by the broker
	Published time.Time // when the broker first stored it; zero when unknown

	// Reply answers the sender of an intake message; nil when it did not say where to. It is a courtesy: an answer may be
	// lost, or come again after a redelivery.
	Reply func(ctx context.Context, body []byte) error
}

// Handler says what became of a delivery: nil (done, acknowledge), [Retry], [DeadLetter], or any other error, which is
// treated as Retry after DefaultRetry. The context ends when the lease is lost or consuming stops; an error that only says so
// (fault.IsCancel) gives the delivery back without counting an attempt. Handlers do not panic.
type Handler func(context.Context, Delivery) error

// BatchHandler handles several deliveries at once and returns one outcome each, in the same order and of the same length.
type BatchHandler func(context.Context, []Delivery) []error

// Publisher stores messages.
type Publisher interface {
	// Publish returns nil when all messages are stored durably. On an error some may be stored; repeating the call with
	// the same IDs is safe. Errors are faults: fault.MessageTooLarge and fault.MessageMalformed (nothing was stored),
	// fault.BrokerBusy, fault.BrokerUnavailable; or the context's error.
	Publish(ctx context.Context, messages ...Message) error
}

// Subscription is a named, durable share in the messages of one type: consumers with the same name and type compete,
// others get a copy each. It exists from its first Consume (or from the adapter's set-up) on.
type Subscription struct {
	Name        string        // lower-case letters, digits and dashes, e.g. "importer"
	Type        string        // the message type consumed; a trailing ".*" matches one or more further words
	Concurrency int           // handlers at work at once; 0 means 1
	Lease       time.Duration // how long the broker waits for a dead consumer; 0 means the adapter's default
}

// Consumer delivers messages.
type Consumer interface {
	// Consume blocks until ctx ends and every handler has returned; it returns nil then. It survives lost connections.
	Consume(ctx context.Context, sub Subscription, h Handler) error
	// ConsumeBatch is Consume for up to most deliveries at once, waiting at most linger after the first.
	ConsumeBatch(ctx context.Context, sub Subscription, most int, linger time.Duration, h BatchHandler) error
}

// Parked is a message the pipeline gave up on, as kept by the broker.
type Parked struct {
	Message
	Subscription string
	Reason       string // stable code
	Detail       string // safe to show
	Attempts     int
	At           time.Time
}

// Parking is the broker's side of the dead-letter desk.
type Parking interface {
	// Browse calls visit for each parked message, oldest first, without removing any, until visit returns false.
	Browse(ctx context.Context, visit func(Parked) bool) error
	// Unpark publishes a parked message again under newID, as its first attempt, and removes it from the parking only after
	// the publish was confirmed. The copy goes only to the subscription it failed on. Repeating the call with the same
	// newID is safe: derive it from the letter. An unknown id is a fault of kind fault.NotFound.
	Unpark(ctx context.Context, subscription, id, newID string) error
}

// Broker is everything an adapter offers.
type Broker interface {
	Publisher
	Consumer
	Parking
	// Features says what the backend really does.
	Features() Features
	// Health returns nil when the broker can take and give messages now.
	Health(ctx context.Context) error
	// Close ends the connection. Call it after every Consume has returned.
	Close(ctx context.Context) error
}

// Features states facts about a backend; the suite holds the backend to them.
type Features struct {
	Name            string        // "nats", "servicebus"
	DedupeWindow    time.Duration // how long a message ID is remembered
	MaxBody         int           // the largest body it takes, in bytes; at least the seam's MaxBody
	DelayedDelivery bool          // NotBefore survives a restart of every consumer
	NativeParking   bool          // parking is atomic with the settlement
}
