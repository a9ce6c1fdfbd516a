// Package answer is what a sender is told about a delivery, whatever way it came.
package answer

import (
	"cmp"
	"context"
	"slices"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector/internal/collect"
)

// RowOf returns a row as it was answered first.
func RowOf(r ledger.Receipt) api.Row {
	v := api.Row{
		Row: r.Row, Outcome: r.Outcome, Code: r.Code, Column: r.Column, Detail: r.Detail, Warnings: r.Warnings,
		Device: r.Device,
	}
	if entry, ok := fault.Lookup(r.Code); ok {
		v.Title = entry.Title
		v.Hint = entry.Hint
	}
	return v
}

// ReceiptOf returns the receipt of a delivery that was taken in.
func ReceiptOf(result collect.Result) api.Receipt {
	r := api.Receipt{
		ID: result.Batch.ID, State: api.BatchState(result.Batch.State), Rows: result.Rows, Outcomes: Counts(result.Outcomes),
		Warned: result.Warned, Problems: []api.Row{}, Links: api.LinksOf(result.Batch.ID),
	}
	for _, receipt := range result.Problems {
		r.Problems = append(r.Problems, RowOf(receipt))
	}
	r.More = failed(result.Outcomes) - len(r.Problems)
	return r
}

// maxProblems is how many rows a repeated receipt names.
const maxProblems = 100

// Repeated returns the receipt of a delivery that was taken in before, out of what the ledger has of it.
func Repeated(ctx context.Context, from ledger.BatchReader, b ledger.Batch) (api.Receipt, error) {
	status, err := from.Batch(ctx, b.Tenant, b.ID)
	if err != nil {
		return api.Receipt{}, err
	}
	problems, err := problemsOf(ctx, from, status)
	if err != nil {
		return api.Receipt{}, err
	}
	return api.Receipt{
		ID: status.ID, State: api.BatchState(status.State), Repeated: true, Rows: status.Rows,
		Outcomes: Counts(status.Outcomes),
		Problems: problems, More: failed(status.Outcomes) - len(problems), Links: api.LinksOf(status.ID),
	}, nil
}

// problemsOf reads the first rows of a batch that failed, in the order of the file.
func problemsOf(ctx context.Context, from ledger.BatchReader, b ledger.BatchStatus) ([]api.Row, error) {
	problems := []api.Row{}
	for _, outcome := range []device.RowOutcome{device.Rejected, device.Conflict} {
		if b.Outcomes[outcome] == 0 {
			continue
		}
		rows, err := from.Rows(ctx, b.Tenant, b.ID, ledger.RowQuery{Outcome: outcome, Limit: maxProblems})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			problems = append(problems, RowOf(row.Receipt))
		}
	}
	slices.SortFunc(problems, func(a, b api.Row) int { return cmp.Compare(a.Row, b.Row) })
	return problems[:min(len(problems), maxProblems)], nil
}

// failed counts the rows that somebody has to look at. A duplicate is none: its device is known.
func failed(counts map[device.RowOutcome]int) int {
	return counts[device.Rejected] + counts[device.Conflict]
}

// Outcomes returns every outcome there is.
func Outcomes() []device.RowOutcome {
	return []device.RowOutcome{device.Accepted, device.Duplicate, device.Conflict, device.Rejected}
}

// Counts names every outcome, so that the counts visibly add up.
func Counts(counts map[device.RowOutcome]int) map[device.RowOutcome]int {
	all := map[device.RowOutcome]int{}
	for _, o := range Outcomes() {
		all[o] = counts[o]
	}
	return all
}
