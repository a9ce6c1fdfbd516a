package sqlledger

import (
	"cmp"
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// deadLetter is a row of dead letters.
type deadLetter struct{ ledger.DeadLetter }

var deadLetters = table[deadLetter]{"dead_letters", []field[deadLetter]{
	{Column{"id", Text}, func(l *deadLetter) cell { return text(&l.ID) }},
	{Column{"tenant", Text}, func(l *deadLetter) cell { return text(&l.Tenant) }},
	{Column{"device", Text}, func(l *deadLetter) cell { return text(&l.Device) }},
	{Column{"from_state", Text}, func(l *deadLetter) cell { return text(&l.From) }},
	{Column{"message", Text}, func(l *deadLetter) cell { return text(&l.Message) }},
	{Column{"subscription", Text}, func(l *deadLetter) cell { return text(&l.Subscription) }},
	{Column{"type", Text}, func(l *deadLetter) cell { return text(&l.Type) }},
	{Column{"code", Text}, func(l *deadLetter) cell { return text(&l.Code) }},
	{Column{"detail", Text}, func(l *deadLetter) cell { return text(&l.Detail) }},
	{Column{"attempts", Integer}, func(l *deadLetter) cell { return integer(&l.Attempts) }},
	{Column{"replays", Integer}, func(l *deadLetter) cell { return integer(&l.Replays) }},
	{Column{"state", Text}, func(l *deadLetter) cell { return text(&l.State) }},
	{Column{"at", Integer}, func(l *deadLetter) cell { return timeCell{&l.At} }},
	{Column{"closed", Integer}, func(l *deadLetter) cell { return timeCell{&l.Closed} }},
	{Column{"closed_by", Text}, func(l *deadLetter) cell { return text(&l.ClosedBy) }},
	{Column{"closed_why", Text}, func(l *deadLetter) cell { return text(&l.ClosedWhy) }},
}}

// DeadLetters returns dead letters; see ledger.DeadLetterReader.
func (l *Ledger) DeadLetters(ctx context.Context, q ledger.DeadLetterQuery) ([]ledger.DeadLetter, error) {
	return read(ctx, l, "dead_letters", func(ctx context.Context, c conn) ([]ledger.DeadLetter, error) {
		clauses, args := deadLetterClauses(q)
		found, err := deadLetters.find(ctx, c, clauses, args...)
		all := make([]ledger.DeadLetter, len(found))
		for i, one := range found {
			all[i] = one.DeadLetter
		}
		return all, err
	})
}

func deadLetterClauses(q ledger.DeadLetterQuery) (clauses string, args []any) {
	conditions := []string{"state = ?", "id > ?"}
	args = []any{cmp.Or(q.State, ledger.DeadLetterOpen), q.After}
	only := func(condition string, arg any) {
		conditions = append(conditions, condition)
		args = append(args, arg)
	}
	if !q.All {
		only("tenant = ?", q.Tenant)
	}
	if q.Code != "" {
		only("code = ?", q.Code)
	}
	if q.IDs != nil {
		only("id IN ?", q.IDs)
	}
	return "WHERE " + strings.Join(conditions, " AND ") + " ORDER BY id LIMIT ?", append(args, cmp.Or(q.Limit, 100))
}

// countReplays fills in how often the devices of new dead letters were replayed before.
func (t tx) countReplays(ctx context.Context, fresh []*deadLetter) error {
	if len(fresh) == 0 {
		return nil
	}
	ids := make([]string, len(fresh))
	for i, one := range fresh {
		ids[i] = one.Device
	}
	replays := map[string]int{}
	_, err := query(ctx, t.conn, func(rows *sql.Rows) (none struct{}, err error) {
		var id string
		var n int
		err = rows.Scan(&id, &n)
		replays[id] = n
		return none, err
	}, `SELECT device, count(*) FROM dead_letters WHERE device IN ? AND state = 'replayed' GROUP BY device`, ids)
	for _, one := range fresh {
		one.Replays = replays[one.Device]
	}
	return err
}

// RecordDeadLetter stores the dead letter of a message; see ledger.DeadLetterRecorder.
func (l *Ledger) RecordDeadLetter(ctx context.Context, one ledger.DeadLetter) error {
	return l.write(ctx, "record_dead_letter", func(ctx context.Context, t tx) error {
		fresh := one
		fresh.ID = cmp.Or(fresh.ID, uuid.Must(uuid.NewV7()).String())
		fresh.State = ledger.DeadLetterOpen
		if fresh.At.IsZero() {
			fresh.At = t.now
		}
		return deadLetters.insert(ctx, t.conn, []*deadLetter{{fresh}}, `
			ON CONFLICT (message, subscription) WHERE message <> '' DO UPDATE SET
				code = excluded.code, detail = excluded.detail, attempts = excluded.attempts, at = excluded.at,
				replays = dead_letters.replays + CASE dead_letters.state WHEN 'replayed' THEN 1 ELSE 0 END,
				state = excluded.state, closed = 0, closed_by = '', closed_why = ''`)
	})
}

// Revive replays a dead device; see ledger.DeadLetterWriter.
func (l *Ledger) Revive(ctx context.Context, id string, due time.Time, by string) (device.Device, error) {
	var revived device.Device
	err := l.write(ctx, "revive", func(ctx context.Context, t tx) error {
		one, err := t.lockDeadLetter(ctx, id)
		if err != nil {
			return err
		}
		work, err := t.lockDevices(ctx, []string{one.Device})
		if err != nil {
			return err
		}
		r := work.devices[one.Device]
		if r == nil || r.State != device.Dead || one.State != ledger.DeadLetterOpen {
			return fault.Newf(fault.DeviceNotReplayable, "dead letter %q", id)
		}
		code := r.Code
		r.State = one.From.ReplayTo(code)
		if err := t.needsCapture(ctx, r); err != nil {
			return err
		}
		r.Due = due
		r.Code = ""
		r.Detail = ""
		r.Attempts = 0
		work.note(r, device.Dead, code, by)
		revived = r.Device
		if err := t.closeDeadLetter(ctx, id, by, t.now); err != nil {
			return err
		}
		return t.save(ctx, work)
	})
	if err != nil {
		return device.Device{}, err
	}
	return revived, nil
}

// needsCapture refuses to start a device over whose hash was erased.
func (t tx) needsCapture(ctx context.Context, r *record) error {
	if r.State != device.Collected {
		return nil
	}
	n, err := number(ctx, t.conn, `SELECT count(*) FROM captures WHERE device = ?`, r.ID)
	if err == nil && n == 0 {
		return fault.Newf(fault.DeviceCaptureErased, "device %s has no hash any more", r.ID)
	}
	return err
}

// CloseDeadLetter marks the dead letter of a message replayed; see ledger.DeadLetterWriter.
func (l *Ledger) CloseDeadLetter(ctx context.Context, id, by string, at time.Time) error {
	return l.write(ctx, "close_dead_letter", func(ctx context.Context, t tx) error {
		one, err := t.lockDeadLetter(ctx, id)
		if err != nil || one.State != ledger.DeadLetterOpen {
			return err
		}
		if one.Device != "" {
			return fault.Newf(fault.RequestInvalid, "dead letter %q is a device's: revive the device", id)
		}
		return t.closeDeadLetter(ctx, id, by, at)
	})
}

func (t tx) lockDeadLetter(ctx context.Context, id string) (*deadLetter, error) {
	found, err := deadLetters.find(ctx, t.conn, `WHERE id = ? FOR UPDATE`, id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.Newf(fault.RequestNotFound, "dead letter %q", id)
	}
	return found[0], nil
}

func (t tx) closeDeadLetter(ctx context.Context, id, by string, at time.Time) error {
	_, err := t.exec(
		ctx,
		`UPDATE dead_letters SET state = 'replayed', closed = ?, closed_by = ? WHERE id = ?`,
		micros(at),
		by,
		id,
	)
	return err
}
