package ledger

import (
	"context"

	"taxiway.example/pkg/device"
)

// Ref names a device at a version.
type Ref struct {
	ID      string
	Version int64
}

// DeviceReader reads devices. Ids of another tenant are as unknown as ids that do not exist.
type DeviceReader interface {
	// Devices returns the devices found, in no particular order; unknown ids are left out.
	Devices(ctx context.Context, tenant device.TenantID, ids []string) ([]device.Device, error)
	// BySerial returns the devices whose serial folds to the given one's, newest first, at most 50.
	BySerial(ctx context.Context, tenant device.TenantID, serial device.Serial) ([]device.Device, error)
}
