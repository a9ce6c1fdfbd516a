package sqlledger

import (
	"context"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

var batches = table[ledger.Batch]{"batches", []field[ledger.Batch]{
	{Column{"id", Text}, func(b *ledger.Batch) cell { return text(&b.ID) }},
	{Column{"tenant", Text}, func(b *ledger.Batch) cell { return text(&b.Tenant) }},
	{Column{"source", Text}, func(b *ledger.Batch) cell { return text(&b.Source) }},
	{Column{"name", Text}, func(b *ledger.Batch) cell { return text(&b.Name) }},
	{Column{"idempotency_key", Text}, func(b *ledger.Batch) cell { return text(&b.IdempotencyKey) }},
	{Column{"digest", Text}, func(b *ledger.Batch) cell { return text(&b.Digest) }},
	{Column{"state", Text}, func(b *ledger.Batch) cell { return text(&b.State) }},
	{Column{"code", Text}, func(b *ledger.Batch) cell { return text(&b.Code) }},
	{Column{"detail", Text}, func(b *ledger.Batch) cell { return text(&b.Detail) }},
	{Column{"created", Integer}, func(b *ledger.Batch) cell { return timeCell{&b.Created} }},
	{Column{"closed", Integer}, func(b *ledger.Batch) cell { return timeCell{&b.Closed} }},
}}

// OpenBatch stores a batch once; see ledger.BatchWriter.
func (l *Ledger) OpenBatch(ctx context.Context, b ledger.Batch) (ledger.Batch, bool, error) {
	var opened ledger.Batch
	var existed bool
	err := l.write(ctx, "open_batch", func(ctx context.Context, t tx) error {
		fresh := b
		if fresh.State == "" {
			fresh.State = ledger.Receiving
		}
		if fresh.Created.IsZero() {
			fresh.Created = t.now
		}
		if _, err := t.exec(ctx, `INSERT INTO tenants (id) VALUES (?) ON CONFLICT DO NOTHING`, b.Tenant); err != nil {
			return err
		}
		var err error
		opened, existed, err = t.openBatch(ctx, fresh)
		return err
	})
	return opened, existed, err
}

func (t tx) openBatch(ctx context.Context, fresh ledger.Batch) (ledger.Batch, bool, error) {
	found, err := batches.find(ctx, t.conn, `WHERE `+byKey, fresh.Tenant, fresh.IdempotencyKey)
	if err == nil && len(found) == 0 {
		found, err = batches.find(ctx, t.conn, `WHERE tenant = ? AND id = ?`, fresh.Tenant, fresh.ID)
	}
	if err != nil {
		return ledger.Batch{}, false, err
	}
	if len(found) > 0 {
		return *found[0], true, nil
	}
	// Of two that come here at once, the loser's transaction begins again and finds the winner's batch.
	return fresh, false, batches.insert(ctx, t.conn, []*ledger.Batch{&fresh}, "")
}

// CloseBatch ends the taking-in; see ledger.BatchWriter.
func (l *Ledger) CloseBatch(ctx context.Context, b ledger.Batch) error {
	return l.write(ctx, "close_batch", func(ctx context.Context, t tx) error {
		if b.Closed.IsZero() {
			b.Closed = t.now
		}
		_, err := t.exec(ctx, `UPDATE batches SET state = ?, code = ?, detail = ?, digest = ?, closed = ?
			WHERE id = ? AND tenant = ? AND state = ?`,
			b.State, b.Code, b.Detail, b.Digest, micros(b.Closed), b.ID, b.Tenant, ledger.Receiving)
		return err
	})
}

// Batch returns a batch with its counts; see ledger.BatchReader.
func (l *Ledger) Batch(ctx context.Context, tenant device.TenantID, id string) (ledger.BatchStatus, error) {
	return l.batch(ctx, unknownBatch(id), `WHERE tenant = ? AND id = ?`, tenant, id)
}

// BatchByKey returns a batch with its counts; see ledger.BatchFinder.
func (l *Ledger) BatchByKey(ctx context.Context, tenant device.TenantID, key string) (ledger.BatchStatus, error) {
	unknown := fault.New(fault.RequestNotFound, "no batch has the key")
	return l.batch(ctx, unknown, `WHERE `+byKey, tenant, key)
}

// byKey names the index of keys, which has no batches without one.
const byKey = `tenant = ? AND idempotency_key = ? AND idempotency_key <> ''`

func (l *Ledger) batch(ctx context.Context, unknown error, where string, args ...any) (ledger.BatchStatus, error) {
	return read(ctx, l, "batch", func(ctx context.Context, c conn) (ledger.BatchStatus, error) {
		found, err := batches.find(ctx, c, where, args...)
		if err != nil {
			return ledger.BatchStatus{}, err
		}
		if len(found) == 0 {
			return ledger.BatchStatus{}, unknown
		}
		return c.status(ctx, *found[0])
	})
}

func unknownBatch(id string) error { return fault.Newf(fault.RequestNotFound, "batch %q", id) }
