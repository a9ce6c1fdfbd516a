// Package broker is the seam between the pipeline and a message broker: publish, consume, and dead letters.
//
// The seam abstracts the decision, not the message: a [Handler] returns an [Outcome], and the adapter expresses that in
// its broker's verbs. The suite in brokertest is the contract; every adapter passes it.
//
// Delivery is at least once. The adapter keeps a delivery leased until its outcome is carried out, so that a slow
// handler is not overtaken by a second delivery; after a crash, redelivery is normal, and handlers are idempotent.
package broker

import (
	"context"
	"time"

	"taxiway.example/pkg/fault"
)

// MaxBody is the largest body, in bytes, that every adapter carries: Azure Service Bus Standard allows 256 KB a
// message, properties included.
const MaxBody = 200 << 10

// Lane parts the messages of one type, so that few do not wait behind many. A lane is consumed by subscriptions of its
// own.
type Lane string

// The lanes.
const (
	Bulk   Lane = "bulk"   // the default
	Single Lane = "single" // what one device waits for
)

// Lanes returns all lanes.
func Lanes() []Lane { return []Lane{Bulk, Single} }

// Message is what is published. [Message.Check] says what every adapter refuses.
type Message struct {
	ID      string            // unique and stable: publishing the same ID twice within the dedupe window stores it once
	Type    string            // routes the message: lower-case words joined by dots, e.g. "devices.collected.v1"
	Lane    Lane              // "" means Bulk
	Tenant  string            // may be empty for messages of no tenant; never used raw in a broker address
	Headers map[string]string // names: lower-case letters, digits and dashes; values: UTF-8; MaxHeaders in all
	Body    []byte            // at most MaxBody bytes
	// not delivered earlier; zero means at once; for seconds, longer waits belong in the ledger
	NotBefore time.Time
}

// Delivery is a message handed to a handler.
type Delivery struct {
	Message
	Attempt   int       // 1 for the first; counts RetryAfter only, never lost leases or redeliveries by the broker
	Published time.Time // when the broker first stored it; zero when unknown

	// Reply answers the sender of an inbound message; nil when it did not say where to. It is a courtesy: an answer may
	// be lost, or come again after a redelivery.
	Reply func(ctx context.Context, body []byte) error
}

// Handler says what becomes of a delivery. The context ends when the lease is lost or consuming stops. Handlers do not
// panic.
type Handler func(context.Context, Delivery) Outcome

// Publisher stores messages.
type Publisher interface {
	// Publish returns nil when all messages are stored durably. On an error some may be stored; repeating the call with
	// the same IDs is safe. Errors are faults: fault.MessageTooLarge and fault.MessageMalformed (nothing was stored),
	// fault.BrokerBusy, fault.BrokerUnavailable; or the context's error.
	Publish(ctx context.Context, messages ...Message) error
}

// Subscription is a named, durable share in the messages of one type and lane: consumers with the same name, type and
// lane compete, others get a copy each. It exists from its first Consume (or from the adapter's set-up) on.
type Subscription struct {
	Name        string        // lower-case letters, digits and dashes, e.g. "importer"
	Type        string        // the message type consumed
	Lane        Lane          // "" means Bulk
	Concurrency int           // handlers at work at once; 0 means 1
	Lease       time.Duration // how long the broker waits for a dead consumer; 0 means the adapter's default
}

// Consumer delivers messages.
type Consumer interface {
	// Consume blocks until ctx ends and every handler has returned; it returns nil then. It survives lost connections.
	Consume(ctx context.Context, sub Subscription, h Handler) error
}

// DeadLettered is a message in the dead-letter queue of a subscription.
type DeadLettered struct {
	Message
	Subscription string
	Reason       fault.Code
	Detail       string // safe to show
	Attempts     int
	At           time.Time
}

// DeadLetters are the dead-letter queues of all subscriptions. A dead letter is named by its subscription and its
// message id; one that is not there is a fault of kind fault.NotFound.
type DeadLetters interface {
	// Peek calls visit for each dead letter, oldest first, without removing any, until visit returns false.
	Peek(ctx context.Context, visit func(DeadLettered) bool) error
	// Replay publishes a dead letter again under newID, as its first attempt, and removes it only after the publish was
	// confirmed. The copy goes only to the subscription it failed on. Repeating the call with the same newID is safe:
	// derive it from the dead letter.
	Replay(ctx context.Context, subscription, id, newID string) error
	// Delete removes a dead letter for good.
	Delete(ctx context.Context, subscription, id string) error
}

// Broker is everything an adapter offers.
type Broker interface {
	Publisher
	Consumer
	DeadLetters
	// Health returns nil when the broker can take and give messages now.
	Health(ctx context.Context) error
	// Trim removes what every subscription is done with, where the broker does not do so by itself. It is called once a
	// minute by one of all processes; several at a time do no harm.
	Trim(ctx context.Context) error
	// Close ends the connection. Call it after every Consume has returned.
	Close(ctx context.Context) error
}
