package adapter

import (
	"errors"
	"strconv"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

// The properties that travel with a message beside its headers. Their values are text.
const (
	propID        = "taxiway-id"
	propTenant    = "taxiway-tenant"
	propAttempt   = "taxiway-attempt"
	propNotBefore = "taxiway-not-before"
	propPublished = "taxiway-published" // when the first attempt was stored
)

// Properties returns those of a delivery that are not what they are without a property.
func Properties(d broker.Delivery) map[string]string {
	p := map[string]string{propID: d.ID}
	if d.Tenant != "" {
		p[propTenant] = d.Tenant
	}
	if d.Attempt > 1 {
		p[propAttempt] = strconv.Itoa(d.Attempt)
	}
	for name, at := range map[string]time.Time{propNotBefore: d.NotBefore, propPublished: d.Published} {
		if !at.IsZero() {
			p[name] = Stamp(at)
		}
	}
	return p
}

// Read returns the delivery that Properties was given, with the headers of the message. What is missing or strange is
// as it is without a property: messages of other programs reach the handler, which decides. The first of ids that can
// be one is the id of a message that has no property for it.
func Read(prop func(name string) string, headers map[string]string, ids ...string) broker.Delivery {
	d := broker.Delivery{Attempt: 1, Published: ParseStamp(prop(propPublished))}
	d.ID = prop(propID)
	d.Tenant = prop(propTenant)
	d.NotBefore = ParseStamp(prop(propNotBefore))
	d.Headers = headers
	if n, err := strconv.Atoi(prop(propAttempt)); err == nil && n > 1 {
		d.Attempt = n
	}
	for _, id := range append([]string{headers[broker.AttrID]}, ids...) {
		if d.ID == "" && broker.ValidID(id) {
			d.ID = id
		}
	}
	return d
}

// Stamp writes a time as a property.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// ParseStamp reads a time; what is none is zero.
func ParseStamp(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// AttrReplyTo is the header in which our copies of an inbound message carry the reply address.
const AttrReplyTo = "replyto"

// NewID reports a fault for an id under which a dead letter cannot be replayed.
func NewID(id, newID string) error {
	if !broker.ValidID(newID) || newID == id {
		return fault.New(fault.RequestInvalid, "a replay needs a new and valid message id")
	}
	return nil
}

// NoDeadLetter is the fault for a dead letter that is not there.
func NoDeadLetter() error { return fault.New(fault.RequestNotFound, "there is no such dead letter") }

// About names in the detail, which operators see, what a fault is about. nil stays nil.
func About(what string, err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		named := *f
		named.Detail = what + ": " + f.Detail
		return &named
	}
	return err
}
