package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Device is a device as the ledger keeps it, without its capture.
type Device struct {
	ID      string // UUIDv7
	Tenant  device.TenantID
	Key     device.Key
	Kind    device.EvidenceKind
	Variant string // "" for the device itself; for a held conflict the hex digest of the capture that disagrees

	Serial       device.Serial
	Manufacturer string
	Product      string
	ProductKeyID device.ProductKeyID
	GroupTag     string // as asked for by the row; rules may override it
	User         string // assigned user principal name, may be empty
	Source       string
	Batch        string
	Row          int
	Facts        Facts

	State          State
	Version        int64 // grows with every move, not with a newer capture; the compare in compare-and-set
	Attempts       int   // failed attempts at the present stage
	ChunkLimit     int   // the most devices its next submission may have; 0 = no limit of its own
	Due            time.Time
	Code           fault.Code // why it waits, is held or is dead; "" when all is well
	Detail         string
	Submission     string // the submission it is part of, or was last
	RegistrationID string // id of its windowsAutopilotDeviceIdentity
	EntraDeviceID  string // deviceId of its Entra device
	Tag            string // the group tag confirmed in Autopilot

	Captured time.Time // capture time of the stored hash
	Created  time.Time
	Updated  time.Time // of the last move
}

// Facts are what rules ask about a device beyond its names; they come from the hash.
type Facts struct {
	TPM20          bool `json:"tpm20"`
	VirtualMachine bool `json:"virtualMachine"`
}

// Ref names a device at a version.
type Ref struct {
	ID      string
	Version int64
}

// DeviceReader reads devices. Ids of another tenant are as unknown as ids that do not exist.
type DeviceReader interface {
	// Devices returns the devices found, in no particular order; unknown ids are left out.
	Devices(ctx context.Context, tenant device.TenantID, ids []string) ([]Device, error)
	// BySerial returns the devices whose serial folds to the given one's, newest first, at most 50.
	BySerial(ctx context.Context, tenant device.TenantID, serial device.Serial) ([]Device, error)
}

// CaptureReader gives out stored hashes.
type CaptureReader interface {
	// Captures returns the canonical bytes by device id; devices whose capture was erased are left out.
	Captures(ctx context.Context, tenant device.TenantID, ids []string) (map[string][]byte, error)
}

// CaptureEraser forgets stored hashes.
type CaptureEraser interface {
	// EraseCaptures removes the captures of devices that are ready or retired and were last moved before the given time,
	// at most limit of them, and returns how many.
	EraseCaptures(ctx context.Context, before time.Time, limit int) (int, error)
}

// Move is one step of one device: a compare-and-set on the version that leaves a row in the device's timeline whenever
// state or code change. A Move to the present state only waits: it sets due time, attempts and reason.
type Move struct {
	Tenant   device.TenantID
	Device   string
	Version  int64
	To       State
	Due      time.Time // when the stage of To works on it again; zero = no work is due
	Code     fault.Code
	Detail   string
	By       string // who: service name, or "operator:NAME"
	Attempts int
	Set      Patch
}

// Patch names fields to change along with a Move; nil leaves a field as it is.
type Patch struct {
	RegistrationID *string
	EntraDeviceID  *string
	Tag            *string
	ChunkLimit     *int
}

// Mover moves devices.
type Mover interface {
	// Move carries out the moves in one transaction and says of each whether it was applied; false means that somebody
	// else changed the device first (or that it does not exist), which is no error. Of two moves of one device the second
	// must carry the version that the first leaves. Becoming Dead also leaves a dead letter.
	Move(ctx context.Context, moves ...Move) ([]bool, error)
}

// Transition is one row of a device's timeline.
type Transition struct {
	At       time.Time
	From, To State // From is "" for the first
	Code     fault.Code
	Detail   string
	By       string
	Attempt  int
}

// Timeline reads what happened to a device.
type Timeline interface {
	// Timeline returns the transitions of a device, oldest first.
	Timeline(ctx context.Context, tenant device.TenantID, id string) ([]Transition, error)
}
