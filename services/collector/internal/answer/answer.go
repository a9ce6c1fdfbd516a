// Package answer is what a sender is told about a delivery, whatever way it came.
package answer

import (
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector/internal/collect"
)

// Receipt says what became of a delivery at the door.
type Receipt struct {
	ID       string                 `json:"id"`
	State    ledger.BatchState      `json:"state"`
	Repeated bool                   `json:"repeated,omitempty"`
	Rows     int                    `json:"rows"`
	Outcomes map[ledger.Outcome]int `json:"outcomes"`
	Warned   int                    `json:"warned"`
	Problems []Row                  `json:"problems"`
	More     int                    `json:"moreProblems"`
	Notes    []string               `json:"notes,omitempty"`
	Links    Links                  `json:"links"`
}

// Links point to what belongs to a batch.
type Links struct {
	Self   string `json:"self"`
	Rows   string `json:"rows"`
	Failed string `json:"failed"`
}

// LinksOf returns the links of a batch.
func LinksOf(batch string) Links {
	self := "/v1/batches/" + batch
	return Links{Self: self, Rows: self + "/rows", Failed: self + "/rows?outcome=failed"}
}

// Row is a row of a batch. It has no cell of the row.
type Row struct {
	Row        int            `json:"row"`
	Outcome    ledger.Outcome `json:"outcome"`
	Code       fault.Code     `json:"code,omitempty"`
	Title      string         `json:"title,omitempty"`
	Column     string         `json:"column,omitempty"`
	Detail     string         `json:"detail,omitempty"`
	Hint       string         `json:"hint,omitempty"`
	Warnings   []string       `json:"warnings,omitempty"`
	Device     string         `json:"device,omitempty"`
	State      ledger.State   `json:"state,omitempty"`
	DeviceCode fault.Code     `json:"deviceCode,omitempty"`
	Reason     string         `json:"reason,omitempty"`
}

// RowOf returns a row as it was answered at the door.
func RowOf(r ledger.Receipt) Row {
	v := Row{
		Row: r.Row, Outcome: r.Outcome, Code: r.Code, Column: r.Column, Detail: r.Detail, Warnings: r.Warnings, Device: r.Device,
	}
	if entry, ok := fault.Lookup(r.Code); ok {
		v.Title, v.Hint = entry.Title, entry.Hint
	}
	return v
}

// ReceiptOf returns the receipt of a delivery that was taken in.
func ReceiptOf(result collect.Result) Receipt {
	r := Receipt{
		ID: result.Batch.ID, State: result.Batch.State, Rows: result.Rows, Outcomes: Counts(result.Outcomes),
		Warned: result.Warned, Problems: []Row{}, Links: LinksOf(result.Batch.ID),
	}
	for _, receipt := range result.Problems {
		r.Problems = append(r.Problems, RowOf(receipt))
	}
	r.More = result.Rows - result.Outcomes[ledger.Accepted] - len(result.Problems)
	return r
}

// Repeated returns the receipt of a delivery that was taken in before, out of what the ledger has of it.
func Repeated(b ledger.BatchStatus) Receipt {
	return Receipt{
		ID: b.ID, State: b.State, Repeated: true, Rows: b.Rows, Outcomes: Counts(b.Outcomes),
		Problems: []Row{}, More: b.Rows - b.Outcomes[ledger.Accepted], Links: LinksOf(b.ID),
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
