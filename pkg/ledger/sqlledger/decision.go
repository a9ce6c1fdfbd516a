package sqlledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

// errDryRun rolls a transaction back that was to change nothing.
var errDryRun = errors.New("dry run")

// decision is what a person decides, under way.
type decision struct {
	tx
	ledger.Decision
	work *changes
}

// decide runs fn in a transaction that holds the tenant against other intakes and decisions, and the devices named. fn
// returns the outcome for the audit.
func (l *Ledger) decide(
	ctx context.Context, action string, d ledger.Decision, fn func(context.Context, *decision) (string, error),
	ids ...string,
) error {
	op := strings.ReplaceAll(action, ".", "_")
	err := l.write(ctx, op, func(ctx context.Context, t tx) error {
		if _, err := query(ctx, t.conn, scanID, `SELECT id FROM tenants WHERE id = ? FOR UPDATE`, d.Tenant); err != nil {
			return err
		}
		work, err := t.lockDevices(ctx, ids)
		if err != nil {
			return err
		}
		outcome, err := fn(ctx, &decision{t, d, work})
		if err != nil {
			return err
		}
		if d.DryRun {
			return errDryRun
		}
		if err := t.save(ctx, work); err != nil {
			return err
		}
		return audit.insert(ctx, t.conn, []*entry{{uuid.Must(uuid.NewV7()).String(), ledger.AuditEntry{
			At: t.now, Tenant: d.Tenant, Actor: d.By, Action: action, Object: d.Device, Reason: d.Reason, Outcome: outcome,
		}}}, "")
	})
	if errors.Is(err, errDryRun) {
		return nil
	}
	return err
}

// ReleaseDevice releases a held device; see ledger.Decider.
func (l *Ledger) ReleaseDevice(ctx context.Context, d ledger.Decision, bothExist bool) (device.Device, error) {
	var released device.Device
	err := l.decide(ctx, "device.release", d, func(ctx context.Context, in *decision) (string, error) {
		r, err := in.held(d.Device)
		if err != nil {
			return "", err
		}
		if err := in.uncontradicted(ctx, r, bothExist); err != nil {
			return "", err
		}
		in.move(r, device.Collected, d.Due, d.Reason)
		released = r.Device
		return string(r.State), nil
	}, d.Device)
	return released, err
}

// RetireDevice retires a device; see ledger.Decider.
func (l *Ledger) RetireDevice(ctx context.Context, d ledger.Decision) (device.Device, error) {
	var retired device.Device
	err := l.decide(ctx, "device.retire", d, func(_ context.Context, in *decision) (string, error) {
		r, err := in.retire(d.Device, d.Reason)
		if err != nil {
			return "", err
		}
		retired = r.Device
		return string(r.State), nil
	}, d.Device)
	return retired, err
}

// ReplaceDevice replaces a device by one that is held against it; see ledger.Decider.
func (l *Ledger) ReplaceDevice(ctx context.Context, d ledger.Decision, with string) (ledger.Replacement, error) {
	var both ledger.Replacement
	err := l.decide(ctx, "device.replace", d, func(ctx context.Context, in *decision) (string, error) {
		fresh, err := in.heldAgainst(ctx, with, d.Device)
		if err != nil {
			return "", err
		}
		old, err := in.retire(d.Device, fmt.Sprintf("Replaced by %s: %s", with, d.Reason))
		if err != nil {
			return "", err
		}
		in.move(fresh, device.Collected, d.Due, fmt.Sprintf("Takes the place of %s: %s", d.Device, d.Reason))
		inherit(fresh, old)
		both = ledger.Replacement{Retired: old.Device, Released: fresh.Device}
		return "retired, replaced by " + with, nil
	}, d.Device, with)
	return both, err
}

// ChangeDevice changes group tag and user; see ledger.Decider.
func (l *Ledger) ChangeDevice(ctx context.Context, d ledger.Decision, asked device.Request) (device.Device, error) {
	var changed device.Device
	err := l.decide(ctx, "device.change", d, func(_ context.Context, in *decision) (string, error) {
		r, err := in.device(d.Device)
		if err != nil {
			return "", err
		}
		p := r.Ask(asked)
		switch {
		case p.Code == fault.DeviceDiffers:
			return "", fault.New(p.Code, p.Detail)
		case p.Outcome == device.Updated:
			p.Detail += d.Reason
			in.work.putToWork(r, p, d.Due, d.By)
		}
		changed = r.Device
		return string(r.State), nil
	}, d.Device)
	return changed, err
}

// device returns a device of the tenant.
func (in *decision) device(id string) (*record, error) {
	r := in.work.devices[id]
	if r == nil || r.Tenant != in.Tenant {
		return nil, fault.New(fault.RequestNotFound, "There is no such device.")
	}
	return r, nil
}

func (in *decision) held(id string) (*record, error) {
	r, err := in.device(id)
	if err == nil && r.State != device.Held {
		err = fault.Newf(fault.DeviceWrongState, "Only a held device can be released; this one is %s.", r.State)
	}
	return r, err
}

func (in *decision) retire(id, why string) (*record, error) {
	r, err := in.device(id)
	switch {
	case err != nil:
		return nil, err
	case r.State == device.Retired:
		return nil, fault.New(fault.DeviceWrongState, "The device is retired already.")
	case !r.State.CanBecome(device.Retired):
		return nil, fault.Newf(fault.DeviceWrongState, "Its import is under way (%s): wait until Autopilot has answered, "+
			"which takes minutes as a rule, then retire it.", r.State)
	}
	dead := r.State == device.Dead
	in.move(r, device.Retired, time.Time{}, why)
	if dead {
		in.work.closing[r.ID] = closing{ledger.DeadLetterClosed, in.By, why}
	}
	return r, nil
}

// move is the step that the decision is; why is kept in the timeline.
func (in *decision) move(r *record, to device.State, due time.Time, why string) {
	from := r.State
	code := r.Code
	r.State = to
	r.Due = due
	r.Code = ""
	r.Detail = why
	r.Attempts = 0
	in.work.note(r, from, code, in.By)
}

// contradictions compares a held device with what is in service now.
func (in *decision) contradictions(ctx context.Context, r *record) ([]device.Contradiction, error) {
	c := device.Candidate{Key: r.Key, Kind: r.Kind, Capture: r.Capture}
	found, err := in.lookUp(ctx, in.Tenant, []*intake.Candidate{{Candidate: c}})
	if err != nil {
		return nil, err
	}
	others := make([]*device.Known, 0, len(found.byID))
	for _, o := range found.byID {
		others = append(others, &o.Known)
	}
	return r.Contradictions(others), nil
}

// uncontradicted refuses a device that is held as a conflict while one in service contradicts it, unless a person says
// that both exist.
func (in *decision) uncontradicted(ctx context.Context, r *record, bothExist bool) error {
	if !r.HeldAsConflict() {
		return nil
	}
	all, err := in.contradictions(ctx, r)
	if err != nil {
		return err
	}
	return stands(r.ID, slices.DeleteFunc(all, func(c device.Contradiction) bool { return bothExist && c.BothExist }))
}

// stands is the refusal of a device by what still keeps it held, nil when that is nothing.
func stands(held string, all []device.Contradiction) error {
	if len(all) == 0 {
		return nil
	}
	first := all[0]
	more := ""
	if n := len(all) - 1; n > 0 {
		more = fmt.Sprintf(" Others that keep it held: %d.", n)
	}
	what := "contradicts this device"
	if first.Relation != device.Contradicts {
		what = "is the same device by what is known now"
	}
	return fault.Newf(fault.DeviceContradictionStands, "%s is %s and %s.%s %s",
		first.Against.ID, first.Against.State, what, more, device.Sides(held, first.Against.ID))
}

// heldAgainst returns a device that old keeps held, and no other one.
func (in *decision) heldAgainst(ctx context.Context, id, old string) (*record, error) {
	if _, err := in.device(old); err != nil {
		return nil, err
	}
	r, err := in.device(id)
	if err != nil {
		return nil, err
	}
	if !r.HeldAsConflict() {
		return nil, fault.Newf(fault.DeviceNotInConflict, "%s is %s and not held as a conflict.", id, r.State)
	}
	all, err := in.contradictions(ctx, r)
	if err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(slices.Clone(all), func(c device.Contradiction) bool { return c.Against.ID == old })
	if len(others) == len(all) {
		return nil, fault.Newf(fault.DeviceNotInConflict, "%s is held, but %s does not contradict it.", id, old)
	}
	return r, stands(id, others)
}

// inherit gives a device group tag and user of the one that it replaces where its own row named none.
func inherit(fresh, old *record) {
	if fresh.GroupTag == "" {
		fresh.GroupTag = old.GroupTag
	}
	if fresh.User == "" {
		fresh.User = old.User
	}
}
