// Package fault is the vocabulary of going wrong: a small set of kinds that steer the pipeline, one error type, and the
// catalogue of stable codes that the API, the CLI, the dead letters and the metrics share.
//
// A use case returns a fault and knows nothing of brokers or HTTP; one mapping per exit turns the kind into the
// broker's verbs, an HTTP status or an exit code. Context cancellation is not a fault.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says what a caller can do about an error.
type Kind uint8

// The kinds. The zero Kind is Transient: an unknown error is tried again a bounded number of times, then a dead letter.
const (
	Transient Kind = iota // may work if tried again; counts as an attempt
	Invalid               // the input is wrong and stays wrong
	NotFound              // what was asked for does not exist (or belongs to another tenant)
	Conflict              // the state forbids it; somebody must decide
	Denied                // credentials or permissions were refused
	Throttled             // the other side asked us to wait; costs no attempt
	Pending               // not finished yet; costs no attempt
	Permanent             // understood, and will never work
	Bug                   // a panic or a broken promise of our own code
	Notice                // nothing failed; a warning that travels with a row
)

// String returns the lower-case name of the kind, as used in logs and metrics.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

var kindNames = [...]string{
	"transient",
	"invalid",
	"not_found",
	"conflict",
	"denied",
	"throttled",
	"pending",
	"permanent",
	"bug",
	"notice",
}

// Error is an error with a kind and a stable code.
type Error struct {
	Kind       Kind
	Code       Code          // stable; see the catalogue
	Detail     string        // safe to show to an operator: no hash, serial, key or token
	RetryAfter time.Duration // for Throttled and Pending: not before this much time has passed; 0 = caller's choice
	Err        error         // the cause; never shown outside the logs
}

// New returns an Error of the kind that the catalogue gives the code.
func New(code Code, detail string) *Error {
	return &Error{Kind: code.Kind(), Code: code, Detail: detail}
}

// Newf is New with a formatted detail.
func Newf(code Code, format string, args ...any) *Error {
	return New(code, fmt.Sprintf(format, args...))
}

// Wrap returns an Error of the code's kind that keeps err as its cause.
func Wrap(err error, code Code, detail string) *Error {
	e := New(code, detail)
	e.Err = err
	return e
}

// After returns a copy of e that asks for d of patience.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Error returns code, detail and cause in one line.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// IsCancel reports whether err only says that the work was told to stop.
func IsCancel(err error) bool { return errors.Is(err, context.Canceled) }
