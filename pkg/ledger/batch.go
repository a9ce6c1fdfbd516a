package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// BatchState is where the taking-in of a batch stands.
type BatchState string

// The batch states. A batch is Receiving until its last row was taken in; what becomes of its devices is counted apart.
const (
	Receiving BatchState = "receiving"
	Complete  BatchState = "complete"
	Failed    BatchState = "failed" // the file became unreadable on the way; the rows before that stand
)

// Batch is one delivery of rows.
type Batch struct {
	ID             string // UUIDv7
	Tenant         device.TenantID
	Source         string // who sent it: the key's name, a queue, a drop folder
	Name           string // the sender's name for it, may be empty
	IdempotencyKey string // unique per tenant when not empty
	Digest         string // hex SHA-256 of what was received, stored by CloseBatch; tells a repetition from another body
	State          BatchState
	Code           fault.Code // why it failed
	Detail         string
	Created        time.Time
	Closed         time.Time
}

// BatchWriter opens and closes batches.
type BatchWriter interface {
	// OpenBatch stores the batch, or returns the one that has the same tenant and idempotency key; existed says which.
	OpenBatch(ctx context.Context, b Batch) (stored Batch, existed bool, err error)
	// CloseBatch sets a Receiving batch's final state, code, detail and digest; closing a closed batch changes nothing.
	CloseBatch(ctx context.Context, b Batch) error
}

// BatchStatus is a batch with its counts. Rows = sum of Outcomes; Outcomes[Accepted] + Outcomes[Updated] = sum of
// States.
type BatchStatus struct {
	Batch
	Rows      int
	Outcomes  map[device.RowOutcome]int
	States    map[device.State]int // of the devices that accepted and updated rows name
	Conflicts map[device.State]int // of the devices that this batch's conflicts are held as
	Reasons   []Reason             // why devices are not ready, most frequent first
	Rejects   []Reason             // why rows were rejected, most frequent first
	Differs   []Reason             // rows that ask for something that is not carried out, most frequent first
	Checks    int                  // duplicates whose device is due for a check; what it puts to work becomes updated
}

// Reason counts devices or rows by code.
type Reason struct {
	State device.State // "" for rejected rows
	Code  fault.Code
	Count int
}

// RowQuery selects rows of a batch.
type RowQuery struct {
	Outcome device.RowOutcome // "" = all
	Differs bool              // only rows that ask for something that is not carried out
	After   int               // rows with a greater number
	Limit   int               // at most this many; 0 = 500
}

// RowStatus is a row with the present state of its device.
type RowStatus struct {
	Receipt
	State      device.State // "" for rejected rows
	DeviceCode fault.Code   // why the device waits, is held or dead
	Reason     string       // the device's detail
}

// BatchReader answers how a batch is doing.
type BatchReader interface {
	// Batch returns the status, or a fault.RequestNotFound.
	Batch(ctx context.Context, tenant device.TenantID, id string) (BatchStatus, error)
	// Rows returns rows in order.
	Rows(ctx context.Context, tenant device.TenantID, batch string, q RowQuery) ([]RowStatus, error)
}

// BatchFinder finds a batch for somebody who knows only what the sender knows.
type BatchFinder interface {
	// BatchByKey returns the status of the batch with an idempotency key, or a fault.RequestNotFound; no batch has the
	// key "".
	BatchByKey(ctx context.Context, tenant device.TenantID, key string) (BatchStatus, error)
}
