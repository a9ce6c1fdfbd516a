package sqlledger

import (
	"context"

	"github.com/google/uuid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
)

// entry is a row of audit.
type entry struct {
	id string
	ledger.AuditEntry
}

var audit = table[entry]{"audit", []field[entry]{
	{Column{"id", Text}, func(e *entry) cell { return text(&e.id) }},
	{Column{"at", Integer}, func(e *entry) cell { return timeCell{&e.At} }},
	{Column{"tenant", Text}, func(e *entry) cell { return text(&e.Tenant) }},
	{Column{"actor", Text}, func(e *entry) cell { return text(&e.Actor) }},
	{Column{"action", Text}, func(e *entry) cell { return text(&e.Action) }},
	{Column{"object", Text}, func(e *entry) cell { return text(&e.Object) }},
	{Column{"reason", Text}, func(e *entry) cell { return text(&e.Reason) }},
	{Column{"outcome", Text}, func(e *entry) cell { return text(&e.Outcome) }},
}}

// Append keeps an audit entry; see ledger.Audit.
func (l *Ledger) Append(ctx context.Context, e ledger.AuditEntry) error {
	return l.write(ctx, "append", func(ctx context.Context, t tx) error {
		if e.At.IsZero() {
			e.At = t.now
		}
		return audit.insert(ctx, t.conn, []*entry{{uuid.Must(uuid.NewV7()).String(), e}}, "")
	})
}

// Entries returns a tenant's newest audit entries; see ledger.Audit.
func (l *Ledger) Entries(ctx context.Context, tenant device.TenantID, limit int) ([]ledger.AuditEntry, error) {
	return read(ctx, l, "entries", func(ctx context.Context, c conn) ([]ledger.AuditEntry, error) {
		found, err := audit.find(ctx, c, `WHERE tenant = ? ORDER BY id DESC LIMIT ?`, tenant, limit)
		all := make([]ledger.AuditEntry, len(found))
		for i, e := range found {
			all[i] = e.AuditEntry
		}
		return all, err
	})
}
