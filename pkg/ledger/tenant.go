package ledger

import (
	"context"

	"taxiway.example/pkg/device"
)

// Tenants lists whoever has rows in the ledger, configured or not.
type Tenants interface {
	Tenants(ctx context.Context) ([]device.TenantID, error)
}
