// Package answer is what a sender is told about a delivery, whatever way it came.
package answer

import (
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector/internal/collect"
)

// RowOf returns a row as it was answered at the door.
func RowOf(r ledger.Receipt) api.Row {
	v := api.Row{
		Row: r.Row, Outcome: r.Outcome, Code: r.Code, Column: r.Column, Detail: r.Detail, Warnings: r.Warnings, Device: r.Device,
	}
	if entry, ok := fault.Lookup(r.Code); ok {
		v.Title, v.Hint = entry.Title, entry.Hint
	}
	return v
}

// ReceiptOf returns the receipt of a delivery that was taken in.
func ReceiptOf(result collect.Result) api.Receipt {
	r := api.Receipt{
		ID: result.Batch.ID, State: result.Batch.State, Rows: result.Rows, Outcomes: Counts(result.Outcomes),
		Warned: result.Warned, Problems: []api.Row{}, Links: api.LinksOf(result.Batch.ID),
	}
	for _, receipt := range result.Problems {
		r.Problems = append(r.Problems, RowOf(receipt))
	}
	r.More = result.Rows - result.Outcomes[ledger.Accepted] - len(result.Problems)
	return r
}

// Repeated returns the receipt of a delivery that was taken in before, out of what the ledger has of it.
func Repeated(b ledger.BatchStatus) api.Receipt {
	return api.Receipt{
		ID: b.ID, State: b.State, Repeated: true, Rows: b.Rows, Outcomes: Counts(b.Outcomes),
		Problems: []api.Row{}, More: b.Rows - b.Outcomes[ledger.Accepted], Links: api.LinksOf(b.ID),
	}
}

// Outcomes returns every outcome there is.
func Outcomes() []ledger.Outcome {
	return []ledger.Outcome{ledger.Accepted, ledger.Duplicate, ledger.Conflict, ledger.Rejected}
}

// Counts names every outcome, so that the counts visibly add up.
func Counts(counts map[ledger.Outcome]int) map[ledger.Outcome]int {
	all := map[ledger.Outcome]int{}
	for _, o := range Outcomes() {
		all[o] = counts[o]
	}
	return all
}
