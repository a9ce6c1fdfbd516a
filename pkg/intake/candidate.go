package intake

import (
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Candidate is a row on its way in. With Reject set, the row is only recorded; otherwise the embedded candidate is set.
type Candidate struct {
	device.Candidate

	Row          int    // 1 for the first row after the header
	Digest       string // of what was sent, tells a row sent again from another one; "" when nobody knows
	Reject       *Reject
	Warnings     []string // codes
	Canonical    []byte   // the hash without its zero tail
	ProductKeyID device.ProductKeyID
	GroupTag     string
	User         string
	Operator     bool   // the sender may change what other senders asked for
	Ruled        string // the group tag that the tenant's rules give whatever the row says; "" when they take the row's
	Facts        device.Facts
}

// Reject says why a row was refused.
type Reject struct {
	Code   fault.Code
	Column string
	Detail string
}
