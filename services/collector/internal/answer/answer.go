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
		v.Hint = entry.For(r.Device, device.KnownSide(r.Detail)).Hint
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
	r.More = result.Failed - len(r.Problems)
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
		Problems: problems, More: failed(status) - len(problems), Links: api.LinksOf(status.ID),
	}, nil
}

// problemsOf reads the first rows of a batch that failed, in the order of the file.
func problemsOf(ctx context.Context, from ledger.BatchReader, b ledger.BatchStatus) ([]api.Row, error) {
	problems := []api.Row{}
	for _, q := range []ledger.RowQuery{
		{Outcome: device.Rejected, Limit: maxProblems},
		{Outcome: device.Conflict, Limit: maxProblems},
		{Differs: true, Limit: maxProblems},
	} {
		if b.Outcomes[q.Outcome] == 0 && (!q.Differs || len(b.Differs) == 0) {
			continue
		}
		rows, err := from.Rows(ctx, b.Tenant, b.ID, q)
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

// failed counts the rows that somebody has to look at: those that were not taken, and duplicates that ask for something
// that is not carried out.
func failed(s ledger.BatchStatus) int {
	n := s.Outcomes[device.Rejected] + s.Outcomes[device.Conflict]
	for _, r := range s.Differs {
		n += r.Count
	}
	return n
}

// Counts names every outcome, so that the counts visibly add up.
func Counts(counts map[device.RowOutcome]int) map[device.RowOutcome]int {
	all := map[device.RowOutcome]int{}
	for _, o := range device.RowOutcomes() {
		all[o] = counts[o]
	}
	return all
}
