package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
)

// Changer carries out what a person asks for a device.
type Changer interface {
	// Change is Device.Ask in one transaction: group tag and user that are asked for are stored, and a device that is
	// beyond where they are set goes back there, due at the given time. It returns the device as it is then. An unknown
	// device is a fault.RequestNotFound.
	Change(
		ctx context.Context, tenant device.TenantID, id string, r device.Request, due time.Time, by string,
	) (device.Device, device.Repetition, error)
}
