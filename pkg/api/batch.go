package api

import (
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// BatchState is where the intake of a batch stands.
type BatchState string

// The batch states.
const (
	Receiving BatchState = "receiving" // rows are still coming in, or the upload was interrupted
	Complete  BatchState = "complete"
	Failed    BatchState = "failed" // the file became unreadable on the way; the rows before that stand
)

// Receipt says what became of the rows of a delivery.
type Receipt struct {
	ID       string                    `json:"id"`
	State    BatchState                `json:"state"`
	Repeated bool                      `json:"repeated,omitempty"` // it was taken in before
	Rows     int                       `json:"rows"`
	Outcomes map[device.RowOutcome]int `json:"outcomes"`
	Warned   int                       `json:"warned"`
	Problems []Row                     `json:"problems"`     // the first rows that somebody has to look at
	More     int                       `json:"moreProblems"` // those beyond them
	Notes    []string                  `json:"notes,omitempty"`
	Links    Links                     `json:"links"`
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

// Row is a row of a batch with the present state of its device. It has no cell of the row.
type Row struct {
	Row        int               `json:"row"`
	Outcome    device.RowOutcome `json:"outcome"`
	Code       fault.Code        `json:"code,omitempty"`
	Title      string            `json:"title,omitempty"`
	Column     string            `json:"column,omitempty"`
	Detail     string            `json:"detail,omitempty"`
	Hint       string            `json:"hint,omitempty"`
	Warnings   []string          `json:"warnings,omitempty"`
	Device     string            `json:"device,omitempty"`
	State      device.State      `json:"state,omitempty"`
	DeviceCode fault.Code        `json:"deviceCode,omitempty"`
	Reason     string            `json:"reason,omitempty"`
}

// Reason counts rows or devices by code.
type Reason struct {
	State device.State `json:"state,omitempty"`
	Code  fault.Code   `json:"code"`
	Title string       `json:"title"`
	Count int          `json:"count"`
}

// Batch is a batch with its counts.
type Batch struct {
	ID        string                    `json:"id"`
	Name      string                    `json:"name,omitempty"`
	Source    string                    `json:"source"`
	State     BatchState                `json:"state"`
	Code      fault.Code                `json:"code,omitempty"`
	Detail    string                    `json:"detail,omitempty"`
	Created   time.Time                 `json:"created"`
	Closed    *time.Time                `json:"closed,omitempty"`
	Rows      int                       `json:"rows"`
	Outcomes  map[device.RowOutcome]int `json:"outcomes"`
	States    map[device.State]int      `json:"states"`    // of the devices that accepted and updated rows name
	Conflicts map[device.State]int      `json:"conflicts"` // of the devices that conflicts are held as
	InFlight  int                       `json:"inFlight"`
	Checks    int                       `json:"checks"` // ready devices of its duplicates whose check is due
	Done      bool                      `json:"done"`   // nothing of it is in flight, and no check is due
	Reasons   []Reason                  `json:"reasons"`
	Rejects   []Reason                  `json:"rejects"`
	Differs   []Reason                  `json:"differs"` // duplicates that ask for something that is not carried out
	Links     Links                     `json:"links"`
}
