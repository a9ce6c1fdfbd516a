package broker

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"taxiway.example/pkg/fault"
)

// Limits that every adapter keeps, so that a message which passes on one broker passes on the other.
const (
	MaxID      = 100      // bytes of an id, a name, a type or a tenant; Azure Service Bus takes 128, adapters add to an id
	MaxHeaders = 16 << 10 // bytes of all header names and values of a message
)

// DefaultLease is the lease of a subscription that names none.
const DefaultLease = 30 * time.Second

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// Check returns a fault for a message that no adapter stores: fault.MessageTooLarge for a body over MaxBody or headers
// over MaxHeaders, fault.MessageMalformed otherwise.
func (m Message) Check() error {
	switch {
	case !ValidID(m.ID):
		return malformed("a message id is 1 to 100 printable ASCII characters without blanks")
	case !validType(m.Type):
		return malformed("a message type is lower-case words joined by dots")
	case m.Lane != "" && m.Lane != Bulk && m.Lane != Single:
		return malformed("a lane is bulk or single")
	case IsInbound(m.Type):
		return malformed("an inbound queue is filled by its source")
	case len(m.Tenant) > MaxID || !utf8.ValidString(m.Tenant):
		return malformed("a tenant is at most 100 bytes of UTF-8")
	case len(m.Body) > MaxBody:
		return fault.Newf(fault.MessageTooLarge, "the body has %d bytes, the limit is %d", len(m.Body), MaxBody)
	}
	return checkHeaders(m.Headers)
}

func checkHeaders(headers map[string]string) error {
	size := 0
	for name, value := range headers {
		if !validName(name) || !utf8.ValidString(value) {
			return malformed("a header has a name of lower-case letters, digits and dashes, and a value of UTF-8")
		}
		size += len(name) + len(value)
	}
	if size > MaxHeaders {
		return fault.Newf(fault.MessageTooLarge, "the headers have %d bytes, the limit is %d", size, MaxHeaders)
	}
	return nil
}

// Normal returns the subscription with its defaults filled in, or a fault.MessageMalformed.
func (s Subscription) Normal() (Subscription, error) {
	if !validName(s.Name) || !validType(s.Type) || s.Concurrency < 0 || s.Lease < 0 {
		return s, malformed("a subscription has a name of lower-case letters, digits and dashes, and a message type")
	}
	s.Lane = cmp.Or(s.Lane, Bulk)
	if s.Lane != Bulk && (s.Lane != Single || IsInbound(s.Type)) {
		return s, malformed("the lane of a subscription is bulk or single, that of an inbound queue bulk")
	}
	if IsInbound(s.Type) && strings.Count(s.Type, ".") != 2 {
		return s, malformed("an inbound queue is consumed by its full name, inbound.<tenant>.<source>")
	}
	s.Concurrency = cmp.Or(s.Concurrency, 1)
	s.Lease = cmp.Or(s.Lease, DefaultLease)
	return s, nil
}

// ValidID reports whether s may be the id of a message.
func ValidID(s string) bool {
	if s == "" || len(s) > MaxID {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func validName(s string) bool {
	return s != "" && len(s) <= MaxID && strings.Trim(s, lower+digits+"-") == ""
}

func validType(s string) bool {
	if len(s) > MaxID {
		return false
	}
	for word := range strings.SplitSeq(s, ".") {
		if word == "" || strings.Trim(word, lower+digits+"-") != "" {
			return false
		}
	}
	return true
}

func malformed(detail string) error { return fault.New(fault.MessageMalformed, detail) }
