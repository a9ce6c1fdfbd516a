package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/budget"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Budget is the tenant's share of Microsoft Graph, counted once for all replicas.
type Budget interface {
	// Take takes n tokens of the tenant's bucket and returns zero, or takes nothing and returns how long until one
	// token is there (with Rate.Whole: n of them, or all there can be) or the gate opens again. A bucket with fewer
	// than n tokens owes the rest: were the taker of many to wait until all of them are there, those who take one at a
	// time could keep it from ever happening.
	Take(
		ctx context.Context,
		tenant device.TenantID,
		bucket string,
		n int,
		r budget.Rate,
		now time.Time,
	) (wait time.Duration, err error)
	// Shut closes the tenant's gate for all its buckets until the given time; an earlier end never shortens a later
	// one.
	Shut(ctx context.Context, tenant device.TenantID, until time.Time, code fault.Code) error
}
