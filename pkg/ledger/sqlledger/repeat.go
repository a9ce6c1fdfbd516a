package sqlledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

// repeat is a row of a known device.
type repeat struct {
	c      *intake.Candidate
	answer *row
	hasTPM bool // the row's hash has a TPM key, and the device had none
}

// carryOut decides what the rows of known devices ask for. The devices are locked and read again: they may have moved
// since they were recognised.
func (in *acceptance) carryOut(ctx context.Context) error {
	if len(in.repeats) == 0 {
		return nil
	}
	ids := make([]string, len(in.repeats))
	for i, one := range in.repeats {
		ids[i] = one.answer.Device
	}
	work, err := in.lockDevices(ctx, ids)
	if err != nil {
		return err
	}
	earlier, err := in.namedEarlier(ctx, ids)
	if err != nil {
		return err
	}
	in.work = work
	for _, one := range in.repeats {
		if err := in.decide(one, earlier); err != nil {
			return err
		}
	}
	return nil
}

// namedEarlier returns which devices earlier rows of the batch name. All values of named are spelled out: with them the
// index leads to the devices, and no call reads all that the batch has named before.
func (in *acceptance) namedEarlier(ctx context.Context, ids []string) (map[string]bool, error) {
	found, err := batchRows.only("device").find(
		ctx, in.conn, `WHERE batch = ? AND named > 0 AND named IN (1, 2) AND device IN ?`, in.batch.ID, ids,
	)
	earlier := make(map[string]bool, len(found))
	for _, r := range found {
		earlier[r.Device] = true
	}
	return earlier, err
}

// decide decides one row; earlier has the devices that other rows of the batch name, and learns of this one's.
func (in *acceptance) decide(one repeat, earlier map[string]bool) error {
	answer := one.answer
	r := in.work.devices[answer.Device]
	if r == nil { // new with this call
		r = in.known.byID[answer.Device]
	}
	asked := device.Request{
		GroupTag: one.c.GroupTag, User: one.c.User, Source: in.batch.Source, Operator: one.c.Operator, Ruled: one.c.Ruled,
		HasTPM: one.hasTPM,
	}
	if r.Batch == in.batch.ID || earlier[r.ID] {
		answer.Code = fault.RowDuplicateInFile
		if differs := r.Differs(asked); differs != "" {
			answer.Code = fault.RowDiffersInFile
			answer.Detail = differs
			answer.differs = answer.Failed()
		}
		return nil
	}
	wasDead := r.State == device.Dead
	p := r.Repeat(asked)
	answer.Outcome = p.Outcome
	answer.Code = p.Code
	if p.Detail != "" {
		answer.Detail = p.Detail
	}
	answer.differs = answer.Failed()
	earlier[r.ID] = p.Outcome == device.Updated || p.Check
	switch {
	case p.Outcome == device.Updated:
		answer.named = putToWork
		due := in.terms.Due
		if p.To.Stage() == device.StageGroup { // no event tells the grouper
			due = in.now
		}
		in.work.putToWork(r, p, due, acceptedBy)
		if wasDead {
			in.work.closing[r.ID] = closing{ledger.DeadLetterClosed, acceptedBy, "sent again in batch " + in.batch.ID}
		}
	case p.Check:
		answer.named = dueForCheck
		in.check(r)
	default:
		return nil
	}
	if in.captures[r.ID] != nil {
		return nil
	}
	return in.seal(in.again, r, one.c)
}

// putToWork moves a device to where what is asked for is carried out. A device that the importer has in hand keeps its
// version: it is not interrupted, and the grouper carries out what is asked for later.
func (w *changes) putToWork(r *record, p device.Repetition, due time.Time, by string) {
	from := r.State
	code := r.Code
	r.State = p.To
	if r.State == from && from.Stage() != device.StageGroup {
		w.touched[r.ID] = r
		return
	}
	r.Due = due
	r.Code = ""
	r.Detail = p.Detail
	r.Attempts = 0
	w.note(r, from, code, by)
}

// check makes a ready device due for a check, unless it is already.
func (in *acceptance) check(r *record) {
	if !r.Due.IsZero() {
		return
	}
	r.Due = latest(in.now, r.Confirmed.Add(in.terms.Recheck))
	r.erasable = false
	in.work.touched[r.ID] = r
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
