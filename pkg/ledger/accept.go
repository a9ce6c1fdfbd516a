package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
)

// Receipt is the answer for one row.
type Receipt struct {
	Row      int
	Outcome  device.RowOutcome
	Device   string // accepted, duplicate and conflict point to a device
	Code     fault.Code
	Column   string
	Detail   string
	Warnings []string
}

// Acceptor takes rows in.
type Acceptor interface {
	// Accept decides and records the rows of one batch in one durable transaction, in order, and answers each:
	// identity, duplicates (a newer capture replaces the stored one) and conflicts (a held device) are decided by
	// device.Relate against what the ledger holds. Accepted devices are Collected and due at the given time. Rows that
	// the batch already has are answered as they were the first time; with another digest than then, nothing is
	// recorded and the error is a fault.RequestConflict.
	//
	// The codes of the receipts: a duplicate is device.duplicate, row.duplicate_in_file when an earlier row of the
	// batch brought the device, or device.retired; a conflict is device.conflict_ek, _serial or _uuid and points to the
	// held device; the same conflicting device again is the same held device.
	//
	// An unknown batch is a fault.RequestNotFound, a new row for a closed batch a fault.RequestInvalid.
	Accept(ctx context.Context, batch Batch, rows []intake.Candidate, due time.Time) ([]Receipt, error)
}
