package sqlledger

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// Move carries out moves; see ledger.Mover.
func (l *Ledger) Move(ctx context.Context, moves ...ledger.Move) ([]bool, error) {
	var applied []bool
	err := l.write(ctx, "move", func(ctx context.Context, t tx) (err error) {
		applied, err = t.move(ctx, moves)
		return err
	})
	return applied, err
}

// move carries out moves as part of the transaction.
func (t tx) move(ctx context.Context, moves []ledger.Move) ([]bool, error) {
	if len(moves) == 0 {
		return nil, nil
	}
	ids := make([]string, len(moves))
	for i, m := range moves {
		ids[i] = m.Device
	}
	work, err := t.lockDevices(ctx, ids)
	if err != nil {
		return nil, err
	}
	applied := make([]bool, len(moves))
	for i, m := range moves {
		if applied[i], err = work.apply(m); err != nil {
			return nil, err
		}
	}
	return applied, t.save(ctx, work)
}

// changes are devices under way from what was read to what is to be written.
type changes struct {
	now     time.Time
	devices map[string]*record
	touched map[string]*record
	steps   []*transition
	deaths  []*deadLetter
	closing map[string]closing // of devices that are dead no more
	checked map[string]bool    // devices whose check is decided, and whether it put them to work
}

// lockDevices reads devices in the order of their ids, so that two who want the same ones do not wait for each other.
func (t tx) lockDevices(ctx context.Context, ids []string) (*changes, error) {
	work := &changes{
		now: t.now, devices: map[string]*record{}, touched: map[string]*record{}, closing: map[string]closing{},
		checked: map[string]bool{},
	}
	found, err := devices.find(ctx, t.conn, `WHERE id IN ? ORDER BY id FOR UPDATE`, ids)
	for _, r := range found {
		work.devices[r.ID] = r
	}
	return work, err
}

// at returns the device if it belongs to the tenant and has the version, nil otherwise.
func (w *changes) at(tenant device.TenantID, id string, version int64) *record {
	r := w.devices[id]
	if r == nil || r.Tenant != tenant || r.Version != version {
		return nil
	}
	return r
}

// apply is the compare-and-set. A step that the table of transitions forbids is a bug of the caller.
func (w *changes) apply(m ledger.Move) (bool, error) {
	r := w.at(m.Tenant, m.Device, m.Version)
	if r == nil {
		return false, nil
	}
	if !r.State.CanBecome(m.To) {
		return false, fault.Newf(
			fault.DeviceIllegalTransition,
			"device %s is %s and cannot become %q",
			r.ID,
			r.State,
			m.To,
		)
	}
	from := r.State
	code := r.Code
	r.State = m.To
	r.Due = m.Due
	r.Code = m.Code
	r.Detail = m.Detail
	r.Attempts = m.Attempts
	patch(&r.RegistrationID, m.Set.RegistrationID)
	patch(&r.EntraDeviceID, m.Set.EntraDeviceID)
	patch(&r.Tag, m.Set.Tag)
	patch(&r.ChunkLimit, m.Set.ChunkLimit)
	patch(&r.AssignedUser, m.Set.AssignedUser)
	patch(&r.Confirmed, m.Set.Confirmed)
	w.note(r, from, code, m.By)
	return true, nil
}

// note takes down a changed device, its transition if it is one, and its death.
func (w *changes) note(r *record, from device.State, code fault.Code, by string) {
	r.Version++
	r.Updated = w.now
	r.erasable = erases(r.State) && r.Due.IsZero()
	if r.State != device.Held && from == device.Held {
		r.Crowded = device.Crowded{} // a person has decided that it is a device like any other
	}
	w.touched[r.ID] = r
	if from == device.Dead && r.State != device.Dead {
		w.closing[r.ID] = closing{ledger.DeadLetterReplayed, by, ""}
	}
	if from == device.Ready && (r.State != device.Ready || r.Due.IsZero()) {
		w.checked[r.ID] = r.State.InFlight()
	}
	if r.State == from && r.Code == code {
		return
	}
	w.steps = append(w.steps, r.step(from, by))
	if r.State == device.Dead && from != device.Dead {
		w.deaths = append(w.deaths, &deadLetter{DeadLetter: ledger.DeadLetter{
			ID: uuid.Must(uuid.NewV7()).String(), Tenant: r.Tenant, Device: r.ID, From: from, Code: r.Code,
			Detail: r.Detail, Attempts: r.Attempts, State: ledger.DeadLetterOpen, At: w.now,
		}})
	}
}

// save writes the changes.
func (t tx) save(ctx context.Context, w *changes) error {
	if err := devices.update(ctx, t.conn, sorted(w.touched), moved...); err != nil {
		return err
	}
	if err := transitions.insert(ctx, t.conn, w.steps, ""); err != nil {
		return err
	}
	if err := t.closeDeadLetters(ctx, w.closing); err != nil {
		return err
	}
	if err := t.answerChecks(ctx, w.checked); err != nil {
		return err
	}
	if err := t.countReplays(ctx, w.deaths); err != nil {
		return err
	}
	return deadLetters.insert(ctx, t.conn, w.deaths, "")
}

// closing is how, by whom and why a dead letter is closed.
type closing struct {
	state   ledger.DeadLetterState
	by, why string
}

// closeDeadLetters closes the dead letters of devices that are dead no more.
func (t tx) closeDeadLetters(ctx context.Context, dead map[string]closing) error {
	for how, ids := range grouped(dead) {
		_, err := t.exec(
			ctx,
			`UPDATE dead_letters SET state = ?, closed = ?, closed_by = ?, closed_why = ?
			WHERE device IN ? AND state || '' = 'open'`,
			how.state, micros(t.now), how.by, how.why, ids,
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// answerChecks answers the rows that wait for the checks of their devices: a device that is at work again makes its
// rows updated.
func (t tx) answerChecks(ctx context.Context, checked map[string]bool) error {
	for atWork, ids := range grouped(checked) {
		outcome := device.Duplicate
		name := notNamed
		code := fault.DeviceDuplicate
		if atWork {
			outcome = device.Updated
			name = putToWork
			code = fault.DeviceReturned
		}
		_, err := t.exec(
			ctx,
			`UPDATE batch_rows SET outcome = ?, named = ?, code = CASE code WHEN ? THEN ? ELSE code END
			WHERE device IN ? AND named = 2`,
			outcome, int(name), fault.DeviceCheckDue, code, ids,
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// grouped returns the keys by their value.
func grouped[V comparable](m map[string]V) map[V][]string {
	by := map[V][]string{}
	for key, value := range m {
		by[value] = append(by[value], key)
	}
	return by
}

// sorted returns devices in the order in which everybody locks them.
func sorted(byID map[string]*record) []*record {
	return slices.SortedFunc(maps.Values(byID), func(a, b *record) int { return cmp.Compare(a.ID, b.ID) })
}

func patch[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// erases reports whether the capture of a device in this state is no longer needed.
func erases(s device.State) bool { return s == device.Ready || s == device.Retired }
