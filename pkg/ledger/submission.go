package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// SubmissionState is where a submission to Autopilot stands.
type SubmissionState string

// The submission states.
const (
	SubmissionOpen     SubmissionState = "open"     // committed; whether the POST happened is not known
	SubmissionPosted   SubmissionState = "posted"   // Autopilot has it; outcomes are awaited
	SubmissionComplete SubmissionState = "complete" // every device has its outcome; import records are to be deleted
	SubmissionClosed   SubmissionState = "closed"   // nothing left to do
)

// Submission is one import call to Autopilot: up to 100 devices under one fresh import id.
type Submission struct {
	ID       string // UUIDv7
	Tenant   device.TenantID
	ImportID string // GUID; fresh for each submission
	State    SubmissionState
	Version  int64
	Polls    int // times it was polled so far
	Due      time.Time
	Code     fault.Code // why it waits or was given up
	Created  time.Time
	Posted   time.Time
	Items    []Item
}

// Item is a device in a submission.
type Item struct {
	Device   string
	RecordID string // id of the importedWindowsAutopilotDeviceIdentity, "" until known
	Deleted  bool   // the import record is gone
}

// SubmissionChange is one step of a submission with the moves that follow from it.
type SubmissionChange struct {
	Submission Submission // id, tenant, version as read; state, polls, due, code and posted as they shall be
	Items      []Item     // items to update
	Moves      []Move     // carried out in the same transaction, each with its own compare-and-set
}

// Submitter begins and advances submissions.
type Submitter interface {
	// Begin stores the submission (state open, version 1, due as given) and moves the named devices from Collected to
	// Submitting, in one transaction. It returns the devices that it won; with none won nothing is stored.
	Begin(ctx context.Context, s Submission, refs []Ref, by string) ([]device.Device, error)
	// Advance carries out a change; applied is false, and nothing happens, when the submission's version is not the one
	// read.
	Advance(ctx context.Context, c SubmissionChange) (applied bool, err error)
}

// SubmissionReader reads submissions.
type SubmissionReader interface {
	// Submission returns a submission with its items, or a fault.RequestNotFound.
	Submission(ctx context.Context, tenant device.TenantID, id string) (Submission, error)
}
