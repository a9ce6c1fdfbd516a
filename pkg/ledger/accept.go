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

// Failed reports whether somebody has to do something about the row: it was not taken, or not all that it asks for is
// carried out.
func (r Receipt) Failed() bool {
	switch r.Outcome {
	case device.Rejected, device.Conflict:
		return true
	}
	switch r.Code {
	case fault.DeviceDiffers, fault.DeviceWeaker, fault.RowDiffersInFile:
		return true
	}
	return false
}

// Terms say when what rows ask for is due.
type Terms struct {
	Due     time.Time     // of devices that wait for the importer, unless an event comes first
	Recheck time.Duration // after Autopilot last showed a ready device, the least time to its next check
}

// Acceptor takes rows in.
type Acceptor interface {
	// Accept decides and records the rows of one batch in one durable transaction, in order, and answers each:
	// identity, known devices (a newer capture replaces the stored one) and conflicts (a held device) are decided by
	// device.Decide against what the ledger holds. Accepted devices are Collected and due at the given time. Rows that
	// the batch already has are answered as they stand; with another digest than the first time, nothing is recorded
	// and the error is a fault.RequestConflict.
	//
	// What a row asks of a known device is decided by Device.Repeat. A device that the row puts to work makes the row
	// updated, and is due at the given time; leaving Dead closes its dead letter. A ready device is due for a check:
	// its row is a duplicate until a Move decides the check, and updated when that puts the device to work. A batch
	// names a known device once: later rows are row.duplicate_in_file, or row.differs_in_file.
	//
	// A conflict is device.conflict_ek, _serial or _uuid and points to the held device; the same conflicting device
	// again is the same held device.
	//
	// An unknown batch is a fault.RequestNotFound, a new row for a closed batch a fault.RequestInvalid.
	Accept(ctx context.Context, batch Batch, rows []intake.Candidate, t Terms) ([]Receipt, error)
}
