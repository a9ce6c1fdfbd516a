package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
)

// CaptureReader gives out stored hashes.
type CaptureReader interface {
	// Captures returns the canonical bytes by device id; devices whose capture was erased are left out.
	Captures(ctx context.Context, tenant device.TenantID, ids []string) (map[string][]byte, error)
}

// CaptureEraser forgets stored hashes.
type CaptureEraser interface {
	// EraseCaptures removes the captures of devices that are ready or retired and were last moved before the given
	// time, at most limit of them, and returns how many.
	EraseCaptures(ctx context.Context, before time.Time, limit int) (int, error)
}
