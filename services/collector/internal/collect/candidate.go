package collect

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/validate"
	"taxiway.example/services/collector/internal/intake"
)

// candidates reads the hashes of a chunk on all workers and keeps the order.
func (r *run) candidates(ctx context.Context, rows []intake.Row) []ledger.Candidate {
	out := make([]ledger.Candidate, len(rows))
	received := r.Now().UTC()
	var group sync.WaitGroup
	for w := range r.config.Workers {
		group.Go(func() {
			for i := w; i < len(rows); i += r.config.Workers {
				out[i] = Judge(ctx, r.rules, r.delivery, rows[i], received)
			}
		})
	}
	group.Wait()
	return out
}

// Judge makes a candidate of a row: it reads the hash, asks the rules, and names the device. It needs no ledger.
func Judge(ctx context.Context, rules *validate.Validator, d Delivery, row intake.Row, received time.Time) ledger.Candidate {
	c := ledger.Candidate{Row: row.Number, Reject: row.Reject}
	if c.Reject != nil {
		return c
	}
	hash, err := hwhash.ParseBytes(row.Hash.Reveal())
	var summary hwhash.Summary
	if err == nil {
		summary, err = hwhash.Summarize(hash)
	}
	judged := describe(d, row, summary, err)
	judged.Received = received
	verdict := rules.Check(ctx, d.Tenant.Policy, judged)
	for _, w := range verdict.Warnings {
		c.Warnings = append(c.Warnings, string(w))
	}
	if !verdict.OK() {
		c.Reject = rejection(verdict.Violations)
		return c
	}
	capture := device.CaptureOf(summary)
	if c.Key, c.Kind, err = device.Identify(capture.Evidence); err != nil {
		c.Reject = &ledger.Reject{Code: fault.DeviceNoIdentity, Column: string(validate.ColumnHash), Detail: "Nothing inside the hash can tell this device from another."}
		return c
	}
	c.Capture, c.Canonical = capture, hash.Canonical()
	c.ProductKeyID, c.GroupTag, c.User = verdict.ProductKeyID, judged.GroupTag, row.User
	c.Facts = ledger.Facts{TPM20: summary.HasTPM2(), VirtualMachine: summary.Warnings.Has(hwhash.VirtualMachine)}
	return c
}

// describe lays the row, the delivery's defaults and the hash beside one another.
func describe(d Delivery, row intake.Row, summary hwhash.Summary, hashErr error) validate.Row {
	tag := row.GroupTag
	if tag == "" {
		tag = d.GroupTag
	}
	v := validate.Row{
		Serial: row.Serial, ProductKeyID: row.ProductKeyID, Manufacturer: row.Manufacturer, Model: row.Model,
		GroupTag: tag, User: row.User, Source: d.Source, Tag: tag, Hash: summary, HashErr: hashErr,
	}
	if hashErr == nil {
		v.Tag = d.Tenant.TagFor(tenant.Subject{
			Manufacturer: summary.Manufacturer, Model: summary.Product, Source: d.Source, RowTag: tag,
			Serial: device.NewSerial(summary.RevealSerial()),
		})
	}
	return v
}

// rejection names the first violation, and the codes of the others behind it.
func rejection(violations []validate.Violation) *ledger.Reject {
	first := violations[0]
	reject := &ledger.Reject{Code: first.Code, Column: string(first.Column), Detail: first.Detail}
	var more []string
	for _, v := range violations[1:] {
		more = append(more, fmt.Sprintf("%s (%s)", v.Code, v.Column))
	}
	if len(more) > 0 {
		reject.Detail += " Also: " + strings.Join(more, ", ") + "."
	}
	return reject
}
