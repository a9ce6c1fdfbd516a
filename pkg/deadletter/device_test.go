package deadletter_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
)

// swapped returns a device of contoso and the same with another board, which is held.
func (f *fixture) swapped() (old, held string) {
	f.Helper()
	ids := f.accept(ledgertest.Candidate(1, 1), ledgertest.Identifiers(2, 7, 1, 1))
	return ids[0], ids[1]
}

// A board was swapped: the operator retires the device as it was, and lets the new one go on.
func TestRetireAndRelease(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	old, held := f.swapped()
	const why = "the board was swapped"
	wrongState := func(d device.Device, err error) {
		t.Helper()
		if fault.CodeOf(err) != fault.DeviceWrongState {
			t.Errorf("%s: %v", d.State, err)
		}
	}
	wrongState(f.Release(t.Context(), ours, old, why))
	for _, underWay := range []device.State{device.Submitting, device.Submitted} {
		ledgertest.MoveTo(t, f.ledger, "contoso", old, underWay)
		wrongState(f.Retire(t.Context(), ours, old, why))
	}
	ledgertest.MoveTo(t, f.ledger, "contoso", old, device.Ready)
	if d, err := f.Retire(t.Context(), ours, old, why); err != nil || d.State != device.Retired || !d.Due.IsZero() {
		t.Errorf("%+v, %v", d, err)
	}
	wrongState(f.Retire(t.Context(), ours, old, why))
	d, err := f.Release(t.Context(), ours, held, " "+why)
	if err != nil || d.State != device.Collected || d.Code != "" || !d.Due.Equal(start) {
		t.Errorf("%+v, %v", d, err)
	}
	wrongState(f.Release(t.Context(), ours, held, why))
	entries := f.audited("contoso", 10)
	if len(entries) != 2 {
		t.Fatalf("%+v", entries)
	}
	for i, want := range []ledger.AuditEntry{
		{Action: "device.release", Object: held, Outcome: "collected"},
		{Action: "device.retire", Object: old, Outcome: "retired"},
	} {
		want.At = start
		want.Tenant = "contoso"
		want.Actor = "operator:ada"
		want.Reason = why
		if entries[i] != want {
			t.Errorf("%+v, want %+v", entries[i], want)
		}
	}
}

func TestDecisionsRefuse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, held := f.swapped()
	for name, c := range map[string]struct {
		by         deadletter.Operator
		id, reason string
		want       fault.Code
	}{
		"another tenant's":  {theirs, held, "x", fault.RequestNotFound},
		"a global operator": {global, held, "x", fault.RequestNotFound},
		"an unknown device": {ours, "none", "x", fault.RequestNotFound},
		"no reason":         {ours, held, " ", fault.RequestInvalid},
		"a long reason":     {ours, held, strings.Repeat("x", deadletter.MaxReason+1), fault.RequestInvalid},
		"NUL":               {ours, held, "a\x00", fault.RequestInvalid},
	} {
		if _, err := f.Release(t.Context(), c.by, c.id, c.reason); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if entries := f.audited("contoso", 1); len(entries) != 0 {
		t.Errorf("%+v", entries)
	}
}

// Two operators decide at once: the slower one is told.
func TestDeviceThatWasChangedMeanwhile(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	_, held := f.swapped()
	f.ledger.moving = func() { ledgertest.MoveTo(t, f.ledger.Ledger, "contoso", held, device.Retired) }
	if _, err := f.Release(t.Context(), ours, held, "x"); fault.CodeOf(err) != fault.DeviceWrongState {
		t.Error(err)
	}
	if entries := f.audited("contoso", 1); len(entries) != 0 {
		t.Errorf("%+v", entries)
	}
}

// A decision is audited although the caller has gone, and stands although its entry is lost.
func TestDecisionIsAuditedAlthoughTheCallerHasGone(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	f := newFixture(t)
	old, held := f.swapped()
	f.ledger.moved = leave
	if _, err := f.Release(ctx, ours, held, "x"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if entries := f.audited("contoso", 1); len(entries) != 1 || entries[0].Action != "device.release" {
		t.Errorf("%+v", entries)
	}
	f.ledger.noAudit = true
	if d, err := f.Retire(t.Context(), ours, old, "x"); err != nil || d.State != device.Retired {
		t.Errorf("%s, %v", d.State, err)
	}
}
