package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Transition is one row of a device's timeline.
type Transition struct {
	At       time.Time
	From, To device.State // From is "" for the first
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
