// Package devicelist checks device lists without any service: each row gets the result that the collector and an empty
// ledger would give it.
package devicelist

import (
	"context"
	"io"
	"iter"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/oemfile"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/validate"
)

// Place is where a row stands.
type Place struct {
	File string `json:"file"`
	Row  int    `json:"row"`  // 1 for the first record after the header
	Line int    `json:"line"` // 1 for the first line of the file
}

// Row is a row with its result.
type Row struct {
	Place

	Outcome  device.RowOutcome
	Code     fault.Code
	Column   string
	Detail   string
	Warnings []fault.Code
	Earlier  *Place // the row that a duplicate repeats or a conflict contradicts

	candidate intake.Candidate
}

// Failed reports whether somebody has to do something about the row.
func (r Row) Failed() bool {
	return r.Outcome == device.Rejected || r.Outcome == device.Conflict || r.Code == fault.RowDiffersInFile
}

// Checker checks the rows of one or more lists and remembers their devices. It is not safe for concurrent use.
type Checker struct {
	rules *validate.Validator
	terms intake.Terms
	now   func() time.Time
	known known
}

// New returns a Checker by the defaults of a tenant; groupTag is for rows without one.
func New(groupTag string, now func() time.Time) (*Checker, error) {
	rules, err := validate.New()
	if err != nil {
		return nil, err
	}
	terms := intake.Terms{
		GroupTag: groupTag,
		Tenant:   tenant.Tenant{Policy: tenant.Policy{MaxGroupTag: tenant.DefaultGroupTag}},
	}
	return &Checker{rules: rules, terms: terms, now: now, known: newKnown()}, nil
}

// List is a device list whose header has been found.
type List struct {
	Notes []string // oddities of the file as a whole

	name    string
	file    *oemfile.File
	checker *Checker
}

// Open reads a list up to its header; name stands for it in the places of its rows.
func (c *Checker) Open(name string, r io.Reader) (*List, error) {
	f, err := oemfile.Open(r, oemfile.Options{})
	if err != nil {
		return nil, err
	}
	return &List{Notes: f.Notes, name: name, file: f, checker: c}, nil
}

// Rows checks the rows in their order. An error ends them; the rows before it stand. A list without rows is a
// fault.FileEmpty.
func (l *List) Rows(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		empty := true
		for raw, err := range l.file.Rows() {
			empty = false
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(Row{}, err)
				return
			}
			if !yield(l.checker.classify(ctx, l.name, raw), nil) {
				return
			}
		}
		if empty {
			yield(Row{}, fault.New(fault.FileEmpty, "There is a header, and no row below it."))
		}
	}
}

func (c *Checker) classify(ctx context.Context, name string, raw intake.Row) Row {
	r := Row{Place: Place{File: name, Row: raw.Number, Line: raw.Line}}
	r.candidate = intake.Classify(ctx, c.rules, c.terms, raw, c.now())
	for _, w := range r.candidate.Warnings {
		r.Warnings = append(r.Warnings, fault.Code(w))
	}
	if reject := r.candidate.Reject; reject != nil {
		r.Outcome = device.Rejected
		r.Code = reject.Code
		r.Column = reject.Column
		r.Detail = reject.Detail
		return r
	}
	v, earlier := c.known.take(r.Place, r.candidate)
	r.Outcome = v.Outcome
	r.Code = v.Code
	r.Detail = v.Detail
	r.Earlier = earlier
	return r
}
