package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Rate is a token bucket: Limit tokens each Window, refilled evenly, at most Limit at once. Limit 0 means no limit.
type Rate struct {
	Limit  int
	Window time.Duration
	Whole  bool // a taker of many waits until all of them are there, and so for whoever takes fewer
}

// Budget is the tenant's share of Microsoft Graph, counted once for all replicas.
type Budget interface {
	// Take takes n tokens of the tenant's bucket and returns zero, or takes nothing and returns how long until one token
	// is there (with Rate.Whole: n of them, or all there can be) or the gate opens again. A bucket with fewer than n tokens
	// owes the rest: were the taker of many to wait until all of them are there, those who take one at a time could keep it
	// from ever happening.
	Take(ctx context.Context, tenant device.TenantID, bucket string, n int, r Rate, now time.Time) (wait time.Duration, err error)
	// Shut closes the tenant's gate for all its buckets until the given time; an earlier end never shortens a later one.
	Shut(ctx context.Context, tenant device.TenantID, until time.Time, code fault.Code) error
}

// Leases gives one owner at a time a name.
type Leases interface {
	// Acquire takes or renews the lease and reports whether owner holds it until now+ttl.
	Acquire(ctx context.Context, name, owner string, ttl time.Duration, now time.Time) (held bool, err error)
	// Release gives the lease back if owner holds it.
	Release(ctx context.Context, name, owner string) error
}
