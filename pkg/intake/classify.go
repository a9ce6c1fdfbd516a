package intake

import (
	"context"
	"fmt"
	"strings"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/validate"
)

// Terms are what rows are checked by beside the rules themselves.
type Terms struct {
	Tenant   tenant.Tenant // whose policy and rules count
	Source   string        // who sent the rows
	GroupTag string        // for rows without one
	Operator bool          // the sender may change what other senders asked for
}

// Classify makes a candidate of a row: it reads the hash, asks the rules, and names the device. It needs no ledger, so
// that a row gets the same result offline; whether the device is known is for the ledger to say.
func Classify(ctx context.Context, rules *validate.Validator, t Terms, row Row, received time.Time) Candidate {
	c := Candidate{Row: row.Number, Digest: row.digest(t.GroupTag), Reject: row.Reject}
	if c.Reject != nil {
		return c
	}
	hash, err := hwhash.ParseBytes(row.Hash.Reveal())
	var summary hwhash.Summary
	if err == nil {
		summary, err = hwhash.Summarize(hash)
	}
	classified := describe(t, row, summary, err)
	classified.Received = received
	result := rules.Check(ctx, t.Tenant.Policy, classified)
	for _, w := range result.Warnings {
		c.Warnings = append(c.Warnings, string(w))
	}
	if !result.OK() {
		c.Reject = rejection(result.Violations)
		return c
	}
	if c.Candidate, err = device.CandidateOf(device.CaptureOf(summary)); err != nil {
		c.Reject = &Reject{
			Code:   fault.DeviceNoIdentity,
			Column: string(validate.ColumnHash),
			Detail: "Nothing inside the hash can tell this device from another.",
		}
		return c
	}
	c.Canonical = hash.Canonical()
	c.ProductKeyID = result.ProductKeyID
	c.GroupTag = classified.GroupTag
	c.User = row.User
	c.Operator = t.Operator
	if classified.Tag != classified.GroupTag {
		c.Ruled = classified.Tag
	}
	c.Facts = device.Facts{TPM20: summary.HasTPM2(), VirtualMachine: summary.Warnings.Has(hwhash.VirtualMachine)}
	return c
}

// describe lays the row, the terms and the hash beside one another.
func describe(t Terms, row Row, summary hwhash.Summary, hashErr error) validate.Row {
	tag := row.GroupTag
	if tag == "" {
		tag = t.GroupTag
	}
	v := validate.Row{
		Serial: row.Serial, ProductKeyID: row.ProductKeyID, Manufacturer: row.Manufacturer, Model: row.Model,
		GroupTag: tag, User: row.User, Source: t.Source, Tag: tag, Hash: summary, HashErr: hashErr,
	}
	if hashErr == nil {
		v.Tag = t.Tenant.TagFor(tenant.SubjectOf(device.IdentifiersOf(summary), t.Source, tag))
	}
	return v
}

// rejection names the first violation, and the codes of the others behind it.
func rejection(violations []validate.Violation) *Reject {
	first := violations[0]
	reject := &Reject{Code: first.Code, Column: string(first.Column), Detail: first.Detail}
	var more []string
	for _, v := range violations[1:] {
		more = append(more, fmt.Sprintf("%s (%s)", v.Code, v.Column))
	}
	if len(more) > 0 {
		reject.Detail += " Also: " + strings.Join(more, ", ") + "."
	}
	return reject
}
