package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Move is one step of one device: a compare-and-set on the version that leaves a row in the device's timeline whenever
// state or code change. A Move to the present state only waits: it sets due time, attempts and reason.
type Move struct {
	Tenant   device.TenantID
	Device   string
	Version  int64
	To       device.State
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
	AssignedUser   *string
	Confirmed      *time.Time
}

// Mover moves devices.
type Mover interface {
	// Move carries out the moves in one transaction and says of each whether it was applied; false means that somebody
	// else changed the device first (or that it does not exist), which is no error. Of two moves of one device the
	// second must carry the version that the first leaves. Becoming Dead also leaves a dead letter, and leaving Dead
	// closes it. A ready device that stays without a due time, or leaves, has its check decided: the rows that wait for
	// it are answered, as updated when the device is in flight again. A step that
	// device.State.CanBecome forbids is a fault.DeviceIllegalTransition, and then none is carried out.
	Move(ctx context.Context, moves ...Move) ([]bool, error)
}
