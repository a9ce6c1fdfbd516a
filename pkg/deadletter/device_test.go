package deadletter_test

import (
	"strings"
	"testing"

	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
)

const why = "the board was swapped"

// swapped returns a device of contoso and the same with another board, which is held.
func (f *fixture) swapped() (old, held string) {
	f.Helper()
	ids := f.accept(ledgertest.Candidate(1, 1), ledgertest.Identifiers(2, 7, 1, 1))
	return ids[0], ids[1]
}

func decision(id string) deadletter.Decision {
	return deadletter.Decision{Device: id, Reason: " " + why}
}

// A board was swapped: the operator retires the device as it was, and lets the new one go on.
func TestRetireAndRelease(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	old, held := f.swapped()
	refused := func(d device.Device, err error, code fault.Code) {
		t.Helper()
		if fault.CodeOf(err) != code {
			t.Errorf("%s: %v", d.State, err)
		}
	}
	d, err := f.Release(t.Context(), ours, decision(held), false)
	refused(d, err, fault.DeviceContradictionStands)
	ledgertest.MoveTo(t, f.ledger, "contoso", old, device.Ready)
	if d, err := f.Retire(t.Context(), ours, decision(old)); err != nil || d.State != device.Retired || !d.Due.IsZero() {
		t.Errorf("%+v, %v", d, err)
	}
	d, err = f.Retire(t.Context(), ours, decision(old))
	refused(d, err, fault.DeviceWrongState)
	d, err = f.Release(t.Context(), ours, decision(held), false)
	if err != nil || d.State != device.Collected || d.Code != "" || !d.Due.Equal(start) {
		t.Errorf("%+v, %v", d, err)
	}
	f.decided(
		ledger.AuditEntry{Action: "device.release", Object: held, Outcome: "collected"},
		ledger.AuditEntry{Action: "device.retire", Object: old, Outcome: "retired"},
	)
}

// The same in one step.
func TestReplace(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	old, held := f.swapped()
	plan := decision(old)
	plan.DryRun = true
	for _, d := range []deadletter.Decision{plan, decision(old)} {
		both, err := f.Replace(t.Context(), ours, d, held)
		if err != nil || both.Retired.State != device.Retired || both.Released.State != device.Collected {
			t.Errorf("%+v, %v", both, err)
		}
	}
	f.decided(ledger.AuditEntry{Action: "device.replace", Object: old, Outcome: "retired, replaced by " + held})
}

// decided holds the audit of contoso against entries, the newest first.
func (f *fixture) decided(want ...ledger.AuditEntry) {
	f.Helper()
	entries := f.audited("contoso", 10)
	if len(entries) != len(want) {
		f.Fatalf("%+v", entries)
	}
	for i, w := range want {
		w.At = start
		w.Tenant = "contoso"
		w.Actor = "operator:ada"
		w.Reason = why
		if entries[i] != w {
			f.Errorf("%+v, want %+v", entries[i], w)
		}
	}
}

func TestDecisionsRefuse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	old, held := f.swapped()
	for name, c := range map[string]struct {
		by         deadletter.Operator
		id, reason string
		want       fault.Code
	}{
		"another tenant's":  {theirs, old, "x", fault.RequestNotFound},
		"a global operator": {global, old, "x", fault.RequestNotFound},
		"an unknown device": {ours, "none", "x", fault.RequestNotFound},
		"no reason":         {ours, old, " ", fault.RequestInvalid},
		"a long reason":     {ours, old, strings.Repeat("x", deadletter.MaxReason+1), fault.RequestInvalid},
		"NUL":               {ours, old, "a\x00", fault.RequestInvalid},
	} {
		d := deadletter.Decision{Device: c.id, Reason: c.reason}
		_, released := f.Release(t.Context(), c.by, d, false)
		_, retired := f.Retire(t.Context(), c.by, d)
		_, replaced := f.Replace(t.Context(), c.by, d, held)
		for _, err := range []error{released, retired, replaced} {
			if fault.CodeOf(err) != c.want {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
	}
	if _, err := f.Replace(t.Context(), ours, decision(old), "a\x00"); fault.CodeOf(err) != fault.RequestInvalid {
		t.Error(err)
	}
	f.decided()
}
