package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"taxiway.example/cmd/internal/devicelist"
	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/oemfile"
)

// listFailure is a file that cannot be read, or not to its end.
type listFailure struct {
	Code   fault.Code        `json:"code"`
	Detail string            `json:"detail"`
	Hint   string            `json:"hint"`
	Header []oemfile.Problem `json:"header,omitempty"`
}

// rowResult is a checked row as JSON.
type rowResult struct {
	Row      int               `json:"row"`
	Line     int               `json:"line"`
	Outcome  device.RowOutcome `json:"outcome"`
	Code     fault.Code        `json:"code,omitempty"`
	Column   string            `json:"column,omitempty"`
	Detail   string            `json:"detail,omitempty"`
	Hint     string            `json:"hint,omitempty"`
	Warnings []warningView     `json:"warnings,omitempty"`
	Earlier  *devicelist.Place `json:"earlier,omitempty"`
}

// listResult is a checked file as JSON.
type listResult struct {
	File    string                    `json:"file"`
	Notes   []string                  `json:"notes,omitempty"`
	Rows    []rowResult               `json:"rows"`
	Counts  map[device.RowOutcome]int `json:"counts"`
	Failure *listFailure              `json:"failure,omitempty"`
}

func viewOf(r *devicelist.Row) rowResult {
	v := rowResult{
		Row:     r.Row,
		Line:    r.Line,
		Outcome: r.Outcome,
		Code:    r.Code,
		Column:  r.Column,
		Detail:  r.Detail,
		Hint:    hintOf(r.Code),
		Earlier: r.Earlier,
	}
	for _, w := range r.Warnings {
		v.Warnings = append(v.Warnings, warningView{string(w), hintOf(w)})
	}
	return v
}

// hintOf is without commands: they are for devices that a server knows.
func hintOf(c fault.Code) string {
	entry, _ := fault.Lookup(c)
	return entry.Advice
}

// eachRow checks the rows of a file and hands each to use, which may turn it down. What the file itself suffers from is
// in the result, not in the error; the error is of the machine or of use.
func eachRow(
	ctx context.Context,
	checker *devicelist.Checker,
	stdin io.Reader,
	name string,
	use func(*devicelist.Row) error,
) (listResult, error) {
	v := listResult{File: name, Rows: []rowResult{}, Counts: map[device.RowOutcome]int{}}
	in := io.NopCloser(stdin)
	if name != "-" {
		var err error
		if in, err = os.Open(name); err != nil {
			return v, err
		}
	}
	defer in.Close() //nolint:errcheck // only read
	list, err := checker.Open(name, in)
	if err != nil {
		return v, v.fail(err)
	}
	v.Notes = list.Notes
	for row, err := range list.Rows(ctx) {
		if err != nil {
			return v, v.fail(err)
		}
		if err := use(&row); err != nil {
			return v, err
		}
		v.Counts[row.Outcome]++
	}
	return v, nil
}

// fail keeps what is wrong with the file; any other error is returned.
func (v *listResult) fail(err error) error {
	if !fault.Is(err) {
		return err
	}
	code := fault.CodeOf(err)
	v.Failure = &listFailure{Code: code, Detail: fault.DetailOf(err), Hint: hintOf(code)}
	if of, ok := errors.AsType[*oemfile.Error](err); ok {
		v.Failure.Header = of.Problems
	}
	return nil
}

// failed reports whether somebody has to do something about the file.
func (v listResult) failed() bool {
	return v.Failure != nil || v.Counts[device.Rejected]+v.Counts[device.Conflict] > 0
}

// tail ends a file's report for people.
func (v listResult) tail(w io.Writer) {
	var b strings.Builder
	for _, note := range v.Notes {
		fmt.Fprintf(&b, "  Note: %s\n", note)
	}
	if f := v.Failure; f != nil {
		fmt.Fprintf(&b, "  UNREADABLE %s\n             %s\n", f.Code, f.Detail)
		for _, p := range f.Header {
			fmt.Fprintf(&b, "             line %d, %s: %s\n", p.Line, p.Column, p.Detail)
		}
		fmt.Fprintf(&b, "             What to do: %s\n", f.Hint)
	}
	total := 0
	var parts []string
	for _, o := range device.RowOutcomes() {
		if o == device.Updated { // only a ledger knows devices from before
			continue
		}
		total += v.Counts[o]
		parts = append(parts, fmt.Sprintf("%d %s", v.Counts[o], o))
	}
	fmt.Fprintf(&b, "  %d rows = %s\n", total, strings.Join(parts, " + "))
	_, _ = io.WriteString(w, b.String())
}

// writeRow writes a row's result for people: what, where, and what to do.
func writeRow(w io.Writer, r *devicelist.Row) {
	var b strings.Builder
	fmt.Fprintf(&b, "  %-9s  row %d, line %d", r.Outcome, r.Row, r.Line)
	if r.Code != "" {
		fmt.Fprintf(&b, ": %s%s%s", r.Code, inColumn(r.Column), ofEarlier(r))
	}
	b.WriteString("\n")
	lines := []string{r.Detail}
	if hint := hintOf(r.Code); hint != "" && r.Failed() {
		lines = append(lines, "What to do: "+hint)
	}
	for _, warning := range r.Warnings {
		entry, _ := fault.Lookup(warning)
		lines = append(lines, fmt.Sprintf("Warning %s: %s", warning, entry.Title))
	}
	for _, line := range lines {
		if line != "" {
			fmt.Fprintf(&b, "             %s\n", inventory.Printable(line))
		}
	}
	_, _ = io.WriteString(w, b.String())
}

func inColumn(column string) string {
	if column == "" {
		return ""
	}
	return " in " + column
}

func ofEarlier(r *devicelist.Row) string {
	switch {
	case r.Earlier == nil:
		return ""
	case r.Earlier.File == r.File:
		return fmt.Sprintf(" of row %d", r.Earlier.Row)
	}
	return fmt.Sprintf(" of row %d in %s", r.Earlier.Row, r.Earlier.File)
}
