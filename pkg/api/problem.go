package api

import "taxiway.example/pkg/fault"

// Problem is how a request is refused: problem details (RFC 9457) with a code of the fault catalogue. No member holds a
// value of a cell.
type Problem struct {
	Type     string      `json:"type"`
	Title    string      `json:"title"`
	Status   int         `json:"status"`
	Detail   string      `json:"detail,omitempty"`
	Instance string      `json:"instance"`
	Code     fault.Code  `json:"code"`
	Hint     string      `json:"hint,omitempty"`
	Errors   []CellError `json:"errors,omitempty"`
	Batch    string      `json:"batch,omitempty"`
	Device   string      `json:"device,omitempty"`
}

// CellError is one thing that is wrong, and where.
type CellError struct {
	Row    int        `json:"row,omitempty"`
	Line   int        `json:"line,omitempty"`
	Column string     `json:"column,omitempty"`
	Code   fault.Code `json:"code"`
	Detail string     `json:"detail,omitempty"`
}
