package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// DeadLetterState is where a dead letter stands.
type DeadLetterState string

// The states of a dead letter.
const (
	DeadLetterOpen     DeadLetterState = "open"
	DeadLetterReplayed DeadLetterState = "replayed"
	DeadLetterClosed   DeadLetterState = "closed" // its device was retired or sent again; ClosedWhy says why
)

// DeadLetter is a dead letter: a device given up at a stage, or a message nobody could use. It never holds a hash.
type DeadLetter struct {
	ID           string // UUIDv7
	Tenant       device.TenantID
	Device       string       // for devices
	From         device.State // the state the device died in
	Message      string       // for messages: the broker's message id
	Subscription string       // for messages: where it failed
	Type         string       // for messages: its type
	Code         fault.Code
	Detail       string
	Attempts     int
	Replays      int // how often this device or message was replayed before
	State        DeadLetterState
	At           time.Time
	Closed       time.Time
	ClosedBy     string
	ClosedWhy    string // "" for a dead letter that was replayed
}

// DeadLetterQuery selects dead letters.
type DeadLetterQuery struct {
	Tenant device.TenantID // "" = dead letters that name no tenant
	All    bool            // every tenant; for operators
	Code   fault.Code      // "" = all
	State  DeadLetterState // "" = open
	IDs    []string        // nil = all
	After  string          // ids greater than this one
	Limit  int             // 0 = 100
}

// DeadLetterReader reads dead letters.
type DeadLetterReader interface {
	// DeadLetters returns dead letters by id, oldest first.
	DeadLetters(ctx context.Context, q DeadLetterQuery) ([]DeadLetter, error)
}

// DeadLetterRecorder records the dead letters of messages.
type DeadLetterRecorder interface {
	// RecordDeadLetter stores the dead letter of a message. The same message and subscription is one dead letter:
	// recorded again, it takes the newer reason and attempts, and is open again if it was closed.
	RecordDeadLetter(ctx context.Context, l DeadLetter) error
}

// DeadLetterWriter closes dead letters whose work is back.
type DeadLetterWriter interface {
	// Revive puts a dead device back to From.ReplayTo(its code) with no attempts, due at the given time, and marks the
	// dead letter replayed, in one transaction. A dead letter of a device that is no longer dead, or of no device, is a
	// fault.DeviceNotReplayable; a device that has to be sent to Autopilot again and whose capture was erased is a
	// fault.DeviceCaptureErased; an unknown dead letter is a fault.RequestNotFound.
	Revive(ctx context.Context, id string, due time.Time, by string) (device.Device, error)
	// CloseDeadLetter marks the dead letter of a message replayed, after the message is back in the broker; closing it
	// twice changes nothing. An unknown dead letter is a fault.RequestNotFound, a device's dead letter a
	// fault.RequestInvalid.
	CloseDeadLetter(ctx context.Context, id, by string, at time.Time) error
}
