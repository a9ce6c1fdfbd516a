package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
)

// Decision is what a person decides about a device, and why.
type Decision struct {
	Tenant device.TenantID
	Device string
	By     string // "operator:NAME"
	Reason string
	Due    time.Time // when a device that goes on is worked on
	DryRun bool      // decide, and change nothing
}

// Decider carries out what people decide about devices. Each decision is one transaction with its entry in the audit,
// and returns the devices as they are then; a dry run returns them as they would be. Steps of services that are under
// way meanwhile fail their compare-and-set.
//
// An unknown device is a fault.RequestNotFound, one in another state than the decision needs a fault.DeviceWrongState.
type Decider interface {
	// ReleaseDevice makes a held device collected. One that is held as a conflict is compared anew with the devices
	// that are in service now, and what still keeps it held is a fault.DeviceContradictionStands. With bothExist a
	// person says that those are other devices, which counts where device.Contradiction.BothExist allows it.
	ReleaseDevice(ctx context.Context, d Decision, bothExist bool) (device.Device, error)
	// RetireDevice makes a device retired, in every state but submitting and submitted, and closes the open dead
	// letter of a dead one with the reason.
	RetireDevice(ctx context.Context, d Decision) (device.Device, error)
	// ReplaceDevice retires the device of the decision and releases the one that is held against it. The latter takes
	// over group tag and user where its own row named none. A device that is not held against the other is a
	// fault.DeviceNotInConflict; one that contradicts a third device a fault.DeviceContradictionStands.
	ReplaceDevice(ctx context.Context, d Decision, with string) (Replacement, error)
	// ChangeDevice is Device.Ask: group tag and user that are asked for are stored, and a device that is beyond where
	// they are set goes back there. A device that has them stays as it is. What is not carried out is a
	// fault.DeviceDiffers.
	ChangeDevice(ctx context.Context, d Decision, asked device.Request) (device.Device, error)
}

// Replacement is two devices after one has replaced the other.
type Replacement struct{ Retired, Released device.Device }
