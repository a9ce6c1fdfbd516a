// Package ledger is the truth about every device: a device is accepted when its row is committed here, and every
// message between the services can be derived again from here.
//
// The capability interfaces state the contract; the suite in ledgertest holds each database to it under concurrency.
// All writes are durable when they return (SQLite: synchronous=FULL; PostgreSQL: synchronous_commit=on). All times are
// UTC with microsecond precision. Errors are faults: fault.LedgerUnavailable when the database could not do it.
package ledger

import "context"

// Ledger is all capabilities together; consumers ask for those they need.
type Ledger interface {
	BatchWriter
	BatchReader
	BatchFinder
	Acceptor
	DeviceReader
	CaptureReader
	CaptureEraser
	Mover
	Decider
	Timeline
	Submitter
	SubmissionReader
	DueDevices
	DueSubmissions
	Tenants
	Budget
	Leases
	DeadLetterReader
	DeadLetterRecorder
	DeadLetterWriter
	Audit
	Store
}

// Store is the database behind a ledger.
type Store interface {
	// Health returns nil when the ledger can commit.
	Health(ctx context.Context) error
	Close() error
}
