package ledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
)

// AuditEntry is one act of a person or of a program in a person's name.
type AuditEntry struct {
	At      time.Time
	Tenant  device.TenantID
	Actor   string
	Action  string // e.g. "dead_letter.replay"
	Object  string
	Reason  string
	Outcome string
}

// Audit keeps what was done by hand.
type Audit interface {
	// Append keeps the entry for good.
	Append(ctx context.Context, e AuditEntry) error
	// Entries returns the newest entries of a tenant, at most limit.
	Entries(ctx context.Context, tenant device.TenantID, limit int) ([]AuditEntry, error)
}
