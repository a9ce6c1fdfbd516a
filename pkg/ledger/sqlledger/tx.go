package sqlledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"taxiway.example/pkg/backoff"
	"taxiway.example/pkg/fault"
)

const (
	callTimeout = 30 * time.Second // for a call whose context sets no earlier end
	attempts    = 8                // of a transaction that met another one

	firstPause = 10 * time.Millisecond // the longest before the second attempt, twice that before the third, and so on
)

// runner is a pool or a transaction.
type runner interface {
	ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
}

// conn runs statements in the dialect of its database.
type conn struct {
	runner
	dialect Dialect
}

// exec returns the number of rows changed.
func (c conn) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	statement, args = c.dialect.Bind(statement, args)
	result, err := c.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query collects the rows of a statement.
func query[T any](
	ctx context.Context,
	c conn,
	scan func(*sql.Rows) (T, error),
	statement string,
	args ...any,
) ([]T, error) {
	statement, args = c.dialect.Bind(statement, args)
	rows, err := c.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err below has what matters
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// number returns the only value of a statement's first row, 0 without a row.
func number(ctx context.Context, c conn, statement string, args ...any) (int64, error) {
	all, err := query(ctx, c, func(rows *sql.Rows) (n int64, err error) {
		return n, rows.Scan(&n)
	}, statement, args...)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[0], nil
}

// read runs fn outside of any transaction.
func read[T any](ctx context.Context, l *Ledger, op string, fn func(context.Context, conn) (T, error)) (T, error) {
	inner, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	result, err := fn(inner, conn{l.pools.Read, l.dialect})
	if err != nil {
		var zero T
		return zero, failure(ctx, op, err)
	}
	return result, nil
}

// tx is a write transaction, and the time it writes.
type tx struct {
	conn
	now time.Time
}

// write runs fn in one durable transaction, again from its beginning when it met another one.
func (l *Ledger) write(ctx context.Context, op string, fn func(context.Context, tx) error) error {
	inner, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := l.once(inner, op, fn)
	for attempt := 1; attempt < attempts && err != nil && l.dialect.Again(err); attempt++ {
		if backoff.Wait(inner, backoff.Jitter(0, time.Duration(attempt)*firstPause)) != nil {
			break
		}
		err = l.once(inner, op, fn)
	}
	if err != nil {
		return failure(ctx, op, err)
	}
	return nil
}

func (l *Ledger) once(ctx context.Context, op string, fn func(context.Context, tx) error) error {
	sqlTx, err := l.pools.Write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = sqlTx.Rollback() }() // after a commit it does nothing
	now := l.opts.Now().UTC().Truncate(time.Microsecond)
	if err := fn(ctx, tx{conn{sqlTx, l.dialect}, now}); err != nil {
		return err
	}
	l.opts.Trace(op, PhaseCommit)
	if err := sqlTx.Commit(); err != nil {
		return err
	}
	l.opts.Trace(op, PhaseCommitted)
	return nil
}

// failure makes a fault of a database's error; faults and the caller's cancellation pass.
func failure(ctx context.Context, op string, err error) error {
	if fault.Is(err) {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("ledger: %s: %w", op, ctx.Err())
	}
	return fault.Wrap(err, fault.LedgerUnavailable, op)
}
