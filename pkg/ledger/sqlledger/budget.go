package sqlledger

import (
	"context"
	"time"

	"taxiway.example/pkg/budget"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Take takes tokens; see ledger.Budget.
//
// A bucket is one number, the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371):
// taking a token moves it by Window/Limit, and with less than a token's worth below a Window ahead nothing can be
// taken.
func (l *Ledger) Take(
	ctx context.Context, tenant device.TenantID, bucket string, n int, r budget.Rate, now time.Time,
) (time.Duration, error) {
	var wait time.Duration
	err := l.write(ctx, "take", func(ctx context.Context, t tx) error {
		until, err := number(ctx, t.conn, `SELECT until FROM gates WHERE tenant = ?`, tenant)
		if err != nil {
			return err
		}
		if wait = max(0, moment(until).Sub(now)); wait > 0 || n <= 0 || r.Limit <= 0 {
			return nil
		}
		one := r.Window / time.Duration(r.Limit)
		cost := time.Duration(n) * r.Window / time.Duration(r.Limit)
		room := r.Window - one
		if r.Whole {
			room = max(0, r.Window-cost)
		}
		wait, err = t.take(ctx, tenant, bucket, cost, room, now)
		return err
	})
	return wait, err
}

// take moves the bucket by cost, in nanoseconds, when it is at most room ahead, or returns how long until it is.
func (t tx) take(
	ctx context.Context, tenant device.TenantID, bucket string, cost, room time.Duration, now time.Time,
) (time.Duration, error) {
	if _, err := t.exec(ctx, `INSERT INTO buckets (tenant, bucket, full_at) VALUES (?, ?, 0) ON CONFLICT DO NOTHING`,
		tenant, bucket); err != nil {
		return 0, err
	}
	fullAt, err := number(
		ctx,
		t.conn,
		`SELECT full_at FROM buckets WHERE tenant = ? AND bucket = ? FOR UPDATE`,
		tenant,
		bucket,
	)
	if err != nil {
		return 0, err
	}
	fullAt = max(fullAt, now.UnixNano())
	if ahead := time.Duration(fullAt - now.UnixNano()); ahead > room {
		return ahead - room, nil
	}
	_, err = t.exec(
		ctx,
		`UPDATE buckets SET full_at = ? WHERE tenant = ? AND bucket = ?`,
		fullAt+int64(cost),
		tenant,
		bucket,
	)
	return 0, err
}

// Shut closes a tenant's gate; see ledger.Budget.
func (l *Ledger) Shut(ctx context.Context, tenant device.TenantID, until time.Time, code fault.Code) error {
	return l.write(ctx, "shut", func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, `INSERT INTO gates (tenant, until, code) VALUES (?, ?, ?)
			ON CONFLICT (tenant) DO UPDATE SET until = excluded.until, code = excluded.code
			WHERE excluded.until > gates.until`, tenant, micros(until), code)
		return err
	})
}

// Acquire takes or renews a lease; see ledger.Leases.
func (l *Ledger) Acquire(ctx context.Context, name, owner string, ttl time.Duration, now time.Time) (bool, error) {
	var held bool
	err := l.write(ctx, "acquire", func(ctx context.Context, t tx) error {
		n, err := t.exec(ctx, `INSERT INTO leases (name, owner, until) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
			WHERE leases.owner = excluded.owner OR leases.until <= ?`, name, owner, micros(now.Add(ttl)), micros(now))
		held = n > 0
		return err
	})
	return held && err == nil, err
}

// Release gives a lease back; see ledger.Leases.
func (l *Ledger) Release(ctx context.Context, name, owner string) error {
	return l.write(ctx, "release", func(ctx context.Context, t tx) error {
		_, err := t.exec(ctx, `DELETE FROM leases WHERE name = ? AND owner = ?`, name, owner)
		return err
	})
}
