package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// LetterState is where a dead letter stands.
type LetterState string

// The letter states.
const (
	LetterOpen     LetterState = "open"
	LetterReplayed LetterState = "replayed"
)

// Letter is a dead letter: a device given up at a stage, or a message nobody could use. It never holds a hash.
type Letter struct {
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
	State        LetterState
	At           time.Time
	Closed       time.Time
	ClosedBy     string
}

// LetterQuery selects letters.
type LetterQuery struct {
	Tenant device.TenantID // "" = letters that name no tenant
	All    bool            // every tenant; for operators
	Code   fault.Code      // "" = all
	State  LetterState     // "" = open
	IDs    []string        // nil = all
	After  string          // ids greater than this one
	Limit  int             // 0 = 100
}

// LetterReader reads dead letters.
type LetterReader interface {
	// Letters returns letters by id, oldest first.
	Letters(ctx context.Context, q LetterQuery) ([]Letter, error)
}

// LetterKeeper records and closes dead letters.
type LetterKeeper interface {
	// Record stores a message letter. The same message and subscription is one letter: recorded again, it takes the newer
	// reason and attempts, and is open again if it was closed.
	Record(ctx context.Context, l Letter) error
	// Revive puts a dead device back to From.ReplayTo(its code) with no attempts, due at the given time, and marks the letter
	// replayed, in one transaction. A letter of a device that is no longer dead, or of no device, is a
	// fault.DeviceNotReplayable; an unknown letter is a fault.RequestNotFound.
	Revive(ctx context.Context, letter string, due time.Time, by string) (device.Device, error)
	// CloseLetter marks a message letter replayed, after its message is back in the broker; closing it twice changes
	// nothing. An unknown letter is a fault.RequestNotFound, a device's letter a fault.RequestInvalid.
	CloseLetter(ctx context.Context, letter string, by string, at time.Time) error
}
