package sqlledger

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

// acceptedBy is who a device's first transition is by.
const acceptedBy = "collector"

// Accept takes rows in; see ledger.Acceptor.
func (l *Ledger) Accept(
	ctx context.Context, batch ledger.Batch, rows []intake.Candidate, terms ledger.Terms,
) ([]ledger.Receipt, error) {
	rows = storable(rows)
	var receipts []ledger.Receipt
	err := l.write(ctx, "accept", func(ctx context.Context, t tx) error {
		in := &acceptance{tx: t, codec: l.opts.Codec, terms: terms}
		if err := in.open(ctx, batch, rows); err != nil {
			return err
		}
		var err error
		if err = in.takeAll(rows); err != nil {
			return err
		}
		if err = in.carryOut(ctx); err != nil {
			return err
		}
		receipts = in.receiptsOf(rows)
		return in.store(ctx)
	})
	if err != nil {
		return nil, err
	}
	return receipts, nil
}

// storable returns the rows with the identifiers as it will be read back, or it would differ from itself.
func storable(rows []intake.Candidate) []intake.Candidate {
	rows = slices.Clone(rows)
	for i := range rows {
		c := &rows[i].Capture
		c.Manufacturer = clean(c.Manufacturer)
		c.Product = clean(c.Product)
		if raw := c.Serial.Reveal(); clean(raw) != raw {
			c.Serial = device.NewSerial(clean(raw))
		}
	}
	return rows
}

// acceptance is one Accept: what the ledger holds, then what is to be written.
type acceptance struct {
	tx
	codec ledger.Codec
	terms ledger.Terms
	batch ledger.Batch

	answers map[int]*row // by number
	known   *known

	rows     []*row
	accepted []*record
	changed  map[string]*record // devices from before that got newer or better identifiers
	repeats  []repeat           // rows of known devices
	work     *changes           // what they ask for
	captures map[string]*stored // by device
	again    map[string]*stored // captures of known devices, to be kept where there is none
}

// open locks the tenant against other intakes and reads what the rows may meet.
func (in *acceptance) open(ctx context.Context, batch ledger.Batch, rows []intake.Candidate) error {
	// Conflicts by serial or UUID have no unique key that would catch two intakes at once; the lock does.
	found, err := batches.find(
		ctx,
		in.conn,
		`WHERE id = ? AND tenant = (SELECT id FROM tenants WHERE id = ? FOR UPDATE)`,
		batch.ID,
		batch.Tenant,
	)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return unknownBatch(batch.ID)
	}
	in.batch = *found[0]
	if in.answers, err = in.receipts(ctx, rows); err != nil {
		return err
	}
	in.changed = map[string]*record{}
	in.captures = map[string]*stored{}
	in.again = map[string]*stored{}
	in.known, err = in.lookUp(ctx, in.batch.Tenant, in.fresh(rows))
	return err
}

// receipts returns the answers that rows of the batch got before.
func (in *acceptance) receipts(ctx context.Context, rows []intake.Candidate) (map[int]*row, error) {
	answers := make(map[int]*row, len(rows))
	if len(rows) == 0 {
		return answers, nil
	}
	// The rows of a call follow one another: a range is as good as a list, and planners know what to do with it.
	first := rows[0].Row
	last := rows[0].Row
	for i := range rows {
		first = min(first, rows[i].Row)
		last = max(last, rows[i].Row)
	}
	found, err := batchRows.find(ctx, in.conn, `WHERE batch = ? AND row_no BETWEEN ? AND ?`, in.batch.ID, first, last)
	for _, r := range found {
		answers[r.Row] = r
	}
	return answers, err
}

// fresh returns the rows that need a decision.
func (in *acceptance) fresh(rows []intake.Candidate) []*intake.Candidate {
	var fresh []*intake.Candidate
	for i := range rows {
		if _, done := in.answers[rows[i].Row]; !done && rows[i].Reject == nil {
			fresh = append(fresh, &rows[i])
		}
	}
	return fresh
}

func (in *acceptance) takeAll(rows []intake.Candidate) error {
	for i := range rows {
		c := &rows[i]
		answer, done := in.answers[c.Row]
		switch {
		case !done && in.batch.State != ledger.Receiving:
			return fault.Newf(fault.RequestInvalid, "batch %q is closed", in.batch.ID)
		case !done:
			answer = &row{batch: in.batch.ID, digest: c.Digest}
			in.answers[c.Row] = answer
			in.rows = append(in.rows, answer)
			if err := in.take(c, answer); err != nil {
				return err
			}
		case answer.digest != c.Digest && answer.digest != "" && c.Digest != "":
			return fault.Newf(
				fault.RequestConflict,
				"Row %d is not the one that the batch has: it was sent under this key before, and something else with it.",
				c.Row,
			)
		}
	}
	return nil
}

func (in *acceptance) receiptsOf(rows []intake.Candidate) []ledger.Receipt {
	receipts := make([]ledger.Receipt, len(rows))
	for i := range rows {
		receipts[i] = in.answers[rows[i].Row].Receipt
	}
	return receipts
}

// take decides one row and notes what is to be written for it.
func (in *acceptance) take(c *intake.Candidate, answer *row) error {
	answer.Receipt = ledger.Receipt{Row: c.Row, Warnings: c.Warnings}
	if c.Reject != nil {
		answer.Outcome = device.Rejected
		answer.Code = c.Reject.Code
		answer.Column = c.Reject.Column
		answer.Detail = c.Reject.Detail
		return nil
	}
	v := in.known.Decide(c.Candidate)
	answer.Outcome = v.Outcome
	answer.Code = v.Code
	answer.Detail = v.Detail
	weaker := v.Is != nil && !v.Is.HasEK() && c.Capture.HasEK()
	r, err := in.deviceOf(c, v)
	if err != nil {
		return err
	}
	switch {
	case v.Outcome == device.Conflict:
		answer.Detail = r.Detail // which names both devices
	case v.Against != nil:
		answer.Detail += " " + device.Sides(r.ID, v.Against.ID)
	}
	answer.Device = r.ID
	if v.Outcome == device.Duplicate && v.Code != fault.DeviceRetired {
		in.repeats = append(in.repeats, repeat{c, answer, weaker})
	}
	return nil
}

// deviceOf returns the device that the row is by the decision: a known one, which learns from it, or a new one.
func (in *acceptance) deviceOf(c *intake.Candidate, v device.Decision) (*record, error) {
	if v.Is == nil {
		return in.admit(c, v)
	}
	r := in.known.byID[v.Is.ID]
	if v.Code == fault.DeviceRetired {
		return r, nil
	}
	return r, in.improve(r, c, v.Newer)
}

// admit makes the row a device: collected and due, or held as a conflict.
func (in *acceptance) admit(c *intake.Candidate, v device.Decision) (*record, error) {
	r := &record{unwritten: true}
	r.Device = device.Device{
		Known: device.Known{
			Capture: c.Capture, ID: uuid.Must(uuid.NewV7()).String(), Key: v.Key, Kind: c.Kind, State: device.Collected,
			Crowded: v.Crowded,
		},
		Tenant: in.batch.Tenant, ProductKeyID: c.ProductKeyID, GroupTag: c.GroupTag, User: c.User, Facts: c.Facts,
		Source: in.batch.Source, Batch: in.batch.ID, Row: c.Row, Version: 1, Due: in.terms.Due, Created: in.now,
		Updated: in.now,
	}
	if v.Outcome == device.Conflict {
		r.State = device.Held
		r.Code = v.Code
		r.Detail = v.Detail + " " + device.Sides(r.ID, v.Against.ID)
		r.Due = time.Time{}
		r.Variant = hex.EncodeToString(c.Capture.Digest[:])
		r.Conflict = true
	}
	in.accepted = append(in.accepted, r)
	in.known.add(r)
	return r, in.keep(r, c)
}

// improve gives a known device the newer capture, or identifiers that it lacked.
func (in *acceptance) improve(r *record, c *intake.Candidate, newer bool) error {
	if !r.Learn(c.Candidate, newer) {
		return nil
	}
	if newer {
		r.Facts = c.Facts
		if err := in.keep(r, c); err != nil {
			return err
		}
	}
	in.known.add(r)
	if !r.unwritten {
		in.changed[r.ID] = r
	}
	return nil
}

func (in *acceptance) keep(r *record, c *intake.Candidate) error {
	return in.seal(in.captures, r, c)
}

func (in *acceptance) seal(into map[string]*stored, r *record, c *intake.Candidate) error {
	body, err := in.codec.Seal(string(r.Tenant), c.Canonical)
	into[r.ID] = &stored{device: r.ID, tenant: r.Tenant, body: body}
	return err
}
