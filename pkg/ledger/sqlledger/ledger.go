// Package sqlledger is the ledger on database/sql: one logic for every database that a [Dialect] describes. The
// packages sqlite and postgres open it; they bring the dialect and the schema, and nothing of the contract.
//
// The statements are written once. They use what SQLite and PostgreSQL share (ON CONFLICT, UPDATE … FROM, RETURNING is
// not needed) and three marks that the dialect turns into its own: "?" for a parameter, "IN ?" for a list parameter,
// and FOR UPDATE, which a database with a single writer drops.
package sqlledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
)

// Options are what an owner may choose; the zero value is useful.
type Options struct {
	Codec ledger.Codec     // default ledger.Plain
	Now   func() time.Time // default time.Now; stamps what is written
	// Trace is called around the commit of each write transaction with the operation's name, first with PhaseCommit
	// and, when it has succeeded, with PhaseCommitted.
	Trace func(op, phase string)
}

// The phases of Options.Trace.
const (
	PhaseCommit    = "commit"    // about to commit
	PhaseCommitted = "committed" // durable
)

// Pools are the connections of a ledger; both may be the same pool.
type Pools struct {
	Write *sql.DB // transactions that write
	Read  *sql.DB // queries outside of those
}

// Ledger implements ledger.Ledger. It is safe for concurrent use.
type Ledger struct {
	pools   Pools
	dialect Dialect
	opts    Options
}

var _ ledger.Ledger = (*Ledger)(nil)

// New returns the ledger on the pools, which must have the schema and which it closes.
func New(pools Pools, dialect Dialect, opts Options) *Ledger {
	if opts.Codec == nil {
		opts.Codec = ledger.Plain{}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Trace == nil {
		opts.Trace = func(string, string) {}
	}
	return &Ledger{pools: pools, dialect: dialect, opts: opts}
}

// Health commits a row.
func (l *Ledger) Health(ctx context.Context) error {
	return l.write(ctx, "health", func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, `INSERT INTO health (name, at) VALUES ('ledger', ?)
			ON CONFLICT (name) DO UPDATE SET at = excluded.at`, micros(t.now))
		return err
	})
}

// Close closes both pools.
func (l *Ledger) Close() error {
	if err := errors.Join(l.pools.Read.Close(), l.pools.Write.Close()); err != nil {
		return fmt.Errorf("close the ledger: %w", err)
	}
	return nil
}

// Tenants lists the tenants that ever opened a batch.
func (l *Ledger) Tenants(ctx context.Context) ([]device.TenantID, error) {
	return read(ctx, l, "tenants", func(ctx context.Context, c conn) ([]device.TenantID, error) {
		return query(ctx, c, func(rows *sql.Rows) (id device.TenantID, err error) {
			return id, rows.Scan(&id)
		}, `SELECT id FROM tenants ORDER BY id`)
	})
}
