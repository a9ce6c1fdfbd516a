package ledgertest

import (
	"strings"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

var decisions = map[string]func(*fixture){
	"Decision/Retire":              decisionRetire,
	"Decision/RetireDead":          decisionRetireDead,
	"Decision/RetireInFlight":      decisionRetireInFlight,
	"Decision/Release":             decisionRelease,
	"Decision/ReleaseOtherReason":  decisionReleaseOtherReason,
	"Decision/ReleaseBothExist":    decisionReleaseBothExist,
	"Decision/ReleaseOneOfTwoHeld": decisionReleaseOneOfTwoHeld,
	"Decision/Replace":             decisionReplace,
	"Decision/ReplaceRefused":      decisionReplaceRefused,
	"Decision/ReplaceOnce":         decisionReplaceOnce,
	"Decision/DryRun":              decisionDryRun,
	"Decision/Unknown":             decisionUnknown,
}

const why = "the board was swapped"

func decided(id string) ledger.Decision {
	return ledger.Decision{Tenant: contoso, Device: id, By: "operator:ada", Reason: why, Due: now()}
}

// swapped returns a device and the same with another board, which is held.
func (b *fixture) swapped() (old, held device.Device) {
	b.Helper()
	first := b.accept(b.batch(contoso), Candidate(1, 1))[0]
	swapped := Identifiers(1, 2, 2, 1)
	swapped.GroupTag = ""
	second := b.accept(b.batch(contoso), swapped)[0]
	b.same(second.Outcome, device.Conflict)
	return b.device(first.Device), b.device(second.Device)
}

// last returns the last step of a device.
func (b *fixture) last(id string) ledger.Transition {
	b.Helper()
	steps, err := b.Timeline(b.Context(), contoso, id)
	b.must(err)
	return steps[len(steps)-1]
}

// audited returns the actions and objects of the audit, the newest first.
func (b *fixture) audited() []string {
	b.Helper()
	entries, err := b.Entries(b.Context(), contoso, 100)
	b.must(err)
	all := make([]string, len(entries))
	for i, e := range entries {
		if e.Actor != "operator:ada" || e.Reason != why || e.At.IsZero() {
			b.Errorf("%+v", e)
		}
		all[i] = e.Action + " " + e.Object + ": " + e.Outcome
	}
	return all
}

// A device can be retired in every state but those in which its import is under way.
func decisionRetire(b *fixture) {
	all := b.devices(len(device.States()))
	retired := 0
	for i, state := range device.States() {
		d := all[i]
		if state != device.Collected {
			b.prepare(d.ID, state)
		}
		before := b.device(d.ID)
		got, err := b.RetireDevice(b.Context(), decided(d.ID))
		if state == device.Submitting || state == device.Submitted || state == device.Retired {
			b.mustFail(err, fault.DeviceWrongState)
			b.same(b.device(d.ID), before)
			continue
		}
		b.must(err)
		retired++
		b.same(b.device(d.ID), got)
		if got.State != device.Retired || !got.Due.IsZero() || got.Code != "" || got.Version != before.Version+1 ||
			got.RegistrationID != before.RegistrationID {
			b.Errorf("%s: %+v", state, got)
		}
		b.same(b.last(d.ID), ledger.Transition{
			At: got.Updated, From: state, To: device.Retired, Detail: why, By: "operator:ada",
		})
	}
	b.same(len(b.audited()), retired)
}

// prepare brings a device into a state, held ones for another tenant's registration.
func (b *fixture) prepare(id string, to device.State) {
	b.Helper()
	switch to {
	case device.Held:
		b.move(id, device.Submitted)
		b.move(id, device.Held, func(m *ledger.Move) { m.Code = fault.AutopilotOtherTenant })
	default:
		b.move(id, to)
	}
}

func decisionRetireDead(b *fixture) {
	d := b.devices(1)[0]
	l := b.die(d.ID, device.Tagged, fault.GroupNone)
	got, err := b.RetireDevice(b.Context(), decided(d.ID))
	b.must(err)
	closed, err := b.DeadLetters(b.Context(), ledger.DeadLetterQuery{Tenant: contoso, State: ledger.DeadLetterClosed})
	b.must(err)
	l.State = ledger.DeadLetterClosed
	l.Closed = got.Updated
	l.ClosedBy = "operator:ada"
	l.ClosedWhy = why
	b.same(closed, []ledger.DeadLetter{l})
	_, err = b.Revive(b.Context(), l.ID, now(), "x")
	b.mustFail(err, fault.DeviceNotReplayable)
}

// What services have under way does nothing to a device that was retired meanwhile.
func decisionRetireInFlight(b *fixture) {
	all := b.devices(2)
	due := ledger.Claim{Tenant: contoso, Now: now(), Until: now(), Limit: 10}
	claimed, err := b.ClaimDevices(b.Context(), device.StageImport, due)
	b.must(err)
	b.same(len(claimed), 2)
	tagged := b.move(all[1].ID, device.Tagged)
	for _, d := range all {
		_, err = b.RetireDevice(b.Context(), decided(d.ID))
		b.must(err)
	}
	submission := ledger.Submission{ID: newID(), Tenant: contoso, ImportID: newID(), Due: now()}
	for _, version := range []int64{all[0].Version, b.device(all[0].ID).Version} {
		won, err := b.Begin(b.Context(), submission, []ledger.Ref{{ID: all[0].ID, Version: version}}, "importer")
		b.must(err)
		b.same(len(won), 0)
	}
	applied, err := b.Move(b.Context(), ledger.Move{
		Tenant: contoso, Device: tagged.ID, Version: tagged.Version, To: device.Grouped, By: "grouper",
	})
	b.must(err)
	b.same(applied, []bool{false})
	for _, d := range all {
		b.same(b.device(d.ID).State, device.Retired)
	}
}

func decisionRelease(b *fixture) {
	old, held := b.swapped()
	if held.Code != fault.DeviceConflictEK || !strings.Contains(held.Detail, device.Sides(held.ID, old.ID)) {
		b.Errorf("%+v", held)
	}
	for _, state := range []device.State{device.Collected, device.Ready, device.Dead} {
		if state != device.Collected {
			b.move(old.ID, state)
		}
		_, err := b.ReleaseDevice(b.Context(), decided(held.ID), true)
		b.mustFail(err, fault.DeviceContradictionStands)
		b.same(device.KnownSide(fault.DetailOf(err)), old.ID)
		b.same(b.device(held.ID), held)
	}
	_, err := b.ReleaseDevice(b.Context(), decided(old.ID), false)
	b.mustFail(err, fault.DeviceWrongState)
	b.same(b.audited(), []string{})
	_, err = b.RetireDevice(b.Context(), decided(old.ID))
	b.must(err)
	d := decided(held.ID)
	got, err := b.ReleaseDevice(b.Context(), d, false)
	b.must(err)
	b.same(b.device(held.ID), got)
	if got.State != device.Collected || got.Code != "" || !got.Due.Equal(d.Due) || got.Attempts != 0 {
		b.Errorf("%+v", got)
	}
	b.same(b.audited(), []string{"device.release " + held.ID + ": collected", "device.retire " + old.ID + ": retired"})
}

// A device that is held for another reason contradicts nothing.
func decisionReleaseOtherReason(b *fixture) {
	old, held := b.swapped()
	b.prepare(old.ID, device.Held)
	got, err := b.ReleaseDevice(b.Context(), decided(old.ID), false)
	b.must(err)
	b.same(got.State, device.Collected)
	b.same(b.device(held.ID).State, device.Held)
}

// Of two machines to whose firmware one UUID was written, a person can say that both exist; of two with one serial
// number or TPM key nobody can.
func decisionReleaseBothExist(b *fixture) {
	for i, test := range []struct {
		known, incoming intake.Candidate
		both            bool
	}{
		{Identifiers(1, 0, 51, 51), Identifiers(1, 0, 51, 52), true},
		{Identifiers(1, 71, 71, 71), Identifiers(1, 0, 71, 72), true},
		{Identifiers(1, 31, 31, 31), Identifiers(1, 31, 31, 32), false},
		{Identifiers(1, 0, 61, 61), Identifiers(1, 0, 62, 61), false},
	} {
		b.accept(b.batch(contoso), test.known)
		held := b.accept(b.batch(contoso), test.incoming)[0].Device
		_, err := b.ReleaseDevice(b.Context(), decided(held), false)
		b.mustFail(err, fault.DeviceContradictionStands)
		_, err = b.ReleaseDevice(b.Context(), decided(held), true)
		if !test.both {
			b.mustFail(err, fault.DeviceContradictionStands)
			continue
		}
		b.must(err)
		if r := b.accept(b.batch(contoso), test.incoming)[0]; r.Outcome != device.Duplicate || r.Device != held {
			b.Errorf("%d, sent again: %+v", i, r)
		}
	}
}

// Of two that wait for a person the first to be released keeps the other one held.
func decisionReleaseOneOfTwoHeld(b *fixture) {
	old, held := b.swapped()
	third := b.accept(b.batch(contoso), Identifiers(1, 3, 3, 1))[0].Device
	_, err := b.ReplaceDevice(b.Context(), decided(old.ID), held.ID)
	b.must(err)
	_, err = b.ReleaseDevice(b.Context(), decided(third), false)
	b.mustFail(err, fault.DeviceContradictionStands)
	b.same(device.KnownSide(fault.DetailOf(err)), held.ID)
	_, err = b.ReplaceDevice(b.Context(), decided(old.ID), third)
	b.mustFail(err, fault.DeviceNotInConflict)
	b.same(b.device(third).State, device.Held)
}

func decisionReplace(b *fixture) {
	old, held := b.swapped()
	b.move(old.ID, device.Ready)
	d := decided(old.ID)
	got, err := b.ReplaceDevice(b.Context(), d, held.ID)
	b.must(err)
	b.same(got, ledger.Replacement{Retired: b.device(old.ID), Released: b.device(held.ID)})
	if got.Retired.State != device.Retired || got.Released.State != device.Collected ||
		!got.Released.Due.Equal(d.Due) || got.Released.GroupTag != old.GroupTag || got.Released.User != held.User {
		b.Errorf("%+v", got)
	}
	if s := b.last(old.ID); !strings.Contains(s.Detail, held.ID) || !strings.Contains(s.Detail, why) {
		b.Errorf("%+v", s)
	}
	if s := b.last(held.ID); !strings.Contains(s.Detail, old.ID) || !strings.Contains(s.Detail, why) {
		b.Errorf("%+v", s)
	}
	b.same(b.audited(), []string{"device.replace " + old.ID + ": retired, replaced by " + held.ID})
}

func decisionReplaceRefused(b *fixture) {
	old, held := b.swapped()
	stranger := b.accept(b.batch(contoso), Candidate(1, 9))[0].Device
	refused := func(of, with string, code fault.Code) {
		b.Helper()
		_, err := b.ReplaceDevice(b.Context(), decided(of), with)
		b.mustFail(err, code)
	}
	refused(old.ID, stranger, fault.DeviceNotInConflict)
	refused(stranger, held.ID, fault.DeviceNotInConflict)
	refused(held.ID, old.ID, fault.DeviceNotInConflict)
	refused(held.ID, held.ID, fault.DeviceNotInConflict)
	refused(newID(), held.ID, fault.RequestNotFound)
	refused(old.ID, newID(), fault.RequestNotFound)
	for _, state := range []device.State{device.Submitting, device.Submitted} {
		b.move(old.ID, state)
		refused(old.ID, held.ID, fault.DeviceWrongState)
	}
	b.move(old.ID, device.Ready)
	// A third device that it contradicts as well keeps it held: the TPM of one, the serial number of another one.
	other := b.accept(b.batch(contoso), Identifiers(1, 5, 5, 5))[0].Device
	between := b.accept(b.batch(contoso), Identifiers(1, 5, 6, 1))[0].Device
	refused(old.ID, between, fault.DeviceContradictionStands)
	refused(other, between, fault.DeviceContradictionStands)
	b.same(b.device(held.ID), held)
	b.same(b.device(old.ID).State, device.Ready)
	b.same(b.audited(), []string{})
}

func decisionReplaceOnce(b *fixture) {
	old, held := b.swapped()
	errs := make([]error, 10)
	together(len(errs), func(i int) { _, errs[i] = b.ReplaceDevice(b.Context(), decided(old.ID), held.ID) })
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		b.mustFail(err, fault.DeviceNotInConflict)
	}
	b.same(won, 1)
	b.same(len(b.audited()), 1)
}

func decisionDryRun(b *fixture) {
	old, held := b.swapped()
	d := decided(old.ID)
	d.DryRun = true
	got, err := b.ReplaceDevice(b.Context(), d, held.ID)
	b.must(err)
	b.same(got.Retired.State, device.Retired)
	b.same(got.Released.State, device.Collected)
	retired, err := b.RetireDevice(b.Context(), d)
	b.must(err)
	b.same(retired.State, device.Retired)
	d.Device = held.ID
	_, err = b.ReleaseDevice(b.Context(), d, false)
	b.mustFail(err, fault.DeviceContradictionStands)
	b.same(b.device(old.ID), old)
	b.same(b.device(held.ID), held)
	b.same(b.audited(), []string{})
}

func decisionUnknown(b *fixture) {
	theirs := b.accept(b.batch(fabrikam), Candidate(1, 1))[0].Device
	for _, id := range []string{newID(), theirs, "none"} {
		_, err := b.RetireDevice(b.Context(), decided(id))
		b.mustFail(err, fault.RequestNotFound)
		_, err = b.ReleaseDevice(b.Context(), decided(id), false)
		b.mustFail(err, fault.RequestNotFound)
	}
}
