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
	// Take takes n tokens of the tenant's bucket and returns zero. When the bucket is empty or the gate is closed it
	// takes nothing and returns the time until a token is there or the gate opens. A bucket with some tokens, but
	// fewer than n, gives them and owes the rest: otherwise callers that take one token at a time could keep a caller
	// that needs many waiting for ever. With Rate.Whole the call waits for n tokens, or for a full bucket.
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
