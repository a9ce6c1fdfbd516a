package broker

import (
	"time"

	"taxiway.example/pkg/fault"
)

// Action is what an adapter does with a delivery.
type Action uint8

// The actions.
const (
	ActionRelease     Action = iota // give it back as it is, same attempt
	ActionAcknowledge               // remove it
	ActionRetry                     // deliver it again after a pause, as the next attempt
	ActionDeadLetter                // move it to the dead-letter queue
)

// String returns the action as logs and metrics name it.
func (a Action) String() string {
	return [...]string{"release", "ack", "retry", "dead-letter"}[a]
}

// Outcome says what becomes of a delivery. The zero value releases it.
type Outcome struct {
	Action Action
	Pause  time.Duration // of ActionRetry
	Reason fault.Code    // of ActionDeadLetter
	Detail string        // of ActionDeadLetter; safe to show
}

// Acknowledge says: everything that follows from the message is done.
func Acknowledge() Outcome { return Outcome{Action: ActionAcknowledge} }

// RetryAfter says: deliver the message again after the pause, as the next attempt. It is for seconds; longer waits
// belong in the ledger.
func RetryAfter(pause time.Duration) Outcome {
	return Outcome{Action: ActionRetry, Pause: max(pause, 0)}
}

// DeadLetter says: the message cannot be handled. The dead letter carries the code and the detail of the fault.
func DeadLetter(err error) Outcome {
	return Outcome{Action: ActionDeadLetter, Reason: fault.CodeOf(err), Detail: fault.DetailOf(err)}
}

// Release says: deliver the message again as the same attempt, because the handler was told to stop before it could
// decide. It is the "released" of AMQP, which counts nothing; what Service Bus calls abandon counts a delivery there,
// and none here.
func Release() Outcome { return Outcome{} }
