package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"taxiway.example/pkg/fault"
)

type retry struct {
	after time.Duration
	err   error
}

// Error names pause and cause.
func (r *retry) Error() string { return fmt.Sprintf("retry after %s: %v", r.after, r.err) }

// Unwrap returns the cause.
func (r *retry) Unwrap() error { return r.err }

type deadLetter struct{ err error }

// Error names the cause.
func (d *deadLetter) Error() string { return "dead letter: " + d.err.Error() }

// Unwrap returns the cause.
func (d *deadLetter) Unwrap() error { return d.err }

// Retry says: deliver the message again after that pause, as the next attempt. It is for seconds; longer waits belong in
// the ledger.
func Retry(after time.Duration, err error) error { return &retry{after: max(after, 0), err: err} }

// DeadLetter says: park the message with err's code as the reason.
func DeadLetter(err error) error { return &deadLetter{err: err} }

// Verb is an outcome as an adapter acts on it.
type Verb uint8

// The verbs.
const (
	Ack     Verb = iota // done: remove it
	Again               // deliver it again after a pause, as the next attempt
	Park                // give up on it
	Release             // give it back as it is, same attempt: the handler was told to stop before it could decide
)

// String returns the verb in lower case, as used in logs and metrics.
func (v Verb) String() string {
	return [...]string{"ack", "retry", "park", "release"}[v]
}

// DefaultRetry is the pause before another attempt when a handler returned a plain error.
const DefaultRetry = 2 * time.Second

// Outcome is a handler's error, read for an adapter.
type Outcome struct {
	Verb   Verb
	After  time.Duration // for Again
	Reason string        // for Park: the fault's code
	Detail string        // for Park: the fault's detail
}

// OutcomeOf reads the error of a handler that was called with ctx. An error that is a cancellation is a Release when ctx has
// ended, and like any other error when it has not.
func OutcomeOf(ctx context.Context, err error) Outcome {
	if err == nil {
		return Outcome{Verb: Ack}
	}
	if d, ok := errors.AsType[*deadLetter](err); ok {
		return Outcome{Verb: Park, Reason: string(fault.CodeOf(d.err)), Detail: fault.DetailOf(d.err)}
	}
	if r, ok := errors.AsType[*retry](err); ok {
		return Outcome{Verb: Again, After: r.after}
	}
	if fault.IsCancel(err) && ctx.Err() != nil {
		return Outcome{Verb: Release}
	}
	return Outcome{Verb: Again, After: DefaultRetry}
}
