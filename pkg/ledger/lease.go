package ledger

import (
	"context"
	"time"
)

// Leases gives one owner at a time a name.
type Leases interface {
	// Acquire takes or renews the lease and reports whether owner holds it until now+ttl.
	Acquire(ctx context.Context, name, owner string, ttl time.Duration, now time.Time) (held bool, err error)
	// Release gives the lease back if owner holds it.
	Release(ctx context.Context, name, owner string) error
}
