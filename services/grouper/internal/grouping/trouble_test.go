package grouping_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
)

// TestOneDevicesTroubleIsItsOwn: what one device of a chunk meets does not touch the others.
func TestOneDevicesTroubleIsItsOwn(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	ids := w.all(5, "KIOSK", "LAB")
	w.fault(simulator.Fault{Operation: updates, Nth: 2, Effect: simulator.Reply, Status: 412, Code: "ConditionNotMet"})
	w.fault(simulator.Fault{Operation: "identities.get", Nth: 5, Effect: simulator.Reply, Status: 500})
	w.check(ids...)
	states := map[device.State]int{}
	for _, id := range ids {
		d := w.device(id)
		states[d.State]++
		switch d.Code {
		case fault.GraphConflict:
			if d.Attempts != 1 {
				t.Errorf("%d attempts after a 412", d.Attempts)
			}
		case fault.GraphUnavailable:
			if d.Attempts != 0 {
				t.Errorf("%d attempts: an outage of Graph is not the device's fault", d.Attempts)
			}
		}
	}
	if states[device.Grouped] != 3 || states[device.Registered] != 2 {
		t.Errorf("states %v", states)
	}
	w.advance(time.Minute)
	w.finish(ids...)
	for _, id := range ids {
		if d := w.want(id, device.Ready, ""); d.Attempts != 0 {
			t.Errorf("%d attempts carried on", d.Attempts)
		}
	}
}

func TestConditionNotMetForeverEndsInADeadLetter(t *testing.T) {
	w := newFixture(t, func(s *setup) { s.timings.MaxAttempts = 4 })
	id := w.registered("KIOSK", "")
	w.fault(
		simulator.Fault{Operation: updates, Times: -1, Effect: simulator.Reply, Status: 412, Code: "ConditionNotMet"},
	)
	for range 3 {
		w.check(id)
		w.want(id, device.Registered, fault.GraphConflict)
		w.untilDue(id)
	}
	w.check(id)
	d := w.want(id, device.Dead, fault.DeviceAttemptsUsedUp)
	if !strings.Contains(d.Detail, "4 attempts, the last one ended with graph.conflict") || w.count(updates) != 4 {
		t.Errorf("%q after %d updates", d.Detail, w.count(updates))
	}
	deadLetters, err := w.ledger.DeadLetters(t.Context(), ledger.DeadLetterQuery{Tenant: here})
	if err != nil || len(deadLetters) != 1 || deadLetters[0].From != device.Registered {
		t.Fatalf("%v %v", deadLetters, err)
	}
	if _, err := w.ledger.Revive(t.Context(), deadLetters[0].ID, w.now(), "operator:anna"); err != nil {
		t.Fatal(err)
	}
	w.sim.RemoveFault(0)
	w.profile(w.group("KIOSK"))
	w.finish(id)
	w.want(id, device.Ready, "")
}

func TestRefusedTagIsNotTriedAgain(t *testing.T) {
	w := newFixture(t)
	id := w.registered("KIOSK", "")
	w.fault(
		simulator.Fault{
			Operation: updates,
			Effect:    simulator.Reply,
			Status:    400,
			Code:      "BadRequest",
			Message:   "no such tag",
		},
	)
	w.check(id)
	if d := w.want(id, device.Dead, fault.GraphBadRequest); !strings.Contains(d.Detail, "no such tag") {
		t.Errorf("detail %q", d.Detail)
	}
}

func TestThrottledTenantGivesItsTurnAway(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	ids := w.all(10, "KIOSK", "")
	w.fault(simulator.Fault{Operation: updates, Nth: 4, Effect: simulator.Reply, Status: 429, RetryAfter: "120"})
	w.check(ids...)
	if w.count(updates) != 4 {
		t.Errorf("%d updates: after a 429 nothing more is sent", w.count(updates))
	}
	waiting := 0
	for _, id := range ids {
		d := w.device(id)
		if d.Code != fault.GraphThrottled {
			continue
		}
		waiting++
		if pause := d.Due.Sub(w.now()); pause < 120*time.Second || pause > 135*time.Second || d.Attempts != 0 {
			t.Errorf("waits %s with %d attempts", pause, d.Attempts)
		}
	}
	if waiting != 10 {
		t.Errorf("%d devices wait: 7 for their tag, 3 because the gate is shut", waiting)
	}
	asked := len(w.sim.Log())
	w.advance(time.Minute)
	w.check(ids...)
	if len(w.sim.Log()) != asked {
		t.Error("sent past the shut gate")
	}
	w.advance(3 * time.Minute)
	w.finish(ids...)
	for _, id := range ids {
		w.want(id, device.Ready, "")
	}
	if w.count(updates) != 11 {
		t.Errorf("%d updates for 10 devices and one 429", w.count(updates))
	}
}

func TestSmallBudgetIsSharedOutOverTime(t *testing.T) {
	w := newFixture(
		t,
		func(s *setup) { s.tenant.Limits = tenant.Limits{Writes: 3, Reads: 1000, Window: 20 * time.Second} },
	)
	w.profile(w.group("KIOSK"))
	ids := w.all(10, "KIOSK", "")
	for range 10 {
		w.check(ids...)
		w.advance(20 * time.Second)
	}
	for _, id := range ids {
		w.want(id, device.Ready, "")
	}
	if w.count(updates) != 10 {
		t.Errorf("%d updates", w.count(updates))
	}
}

func TestLostAnswerToATagIsLookedUp(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	id := w.registered("KIOSK", "LAB")
	w.fault(simulator.Fault{Operation: updates, Effect: simulator.ResetAfter})
	w.check(id)
	if d := w.want(id, device.Registered, fault.GraphUnknownOutcome); d.Attempts != 0 {
		t.Errorf("%d attempts", d.Attempts)
	}
	w.untilDue(id)
	w.check(id)
	w.want(id, device.Ready, "")
	if w.count(updates) != 1 {
		t.Errorf("%d updates: the first had happened", w.count(updates))
	}
}

func TestTenantThatRefusesUsWaits(t *testing.T) {
	refusals := map[string]struct {
		do   func(*fixture)
		undo func(*fixture)
		want fault.Code
	}{
		"credentials": {
			func(w *fixture) {
				w.sim.AddTenant(simulator.Tenant{ID: contoso, ClientID: clientID, ClientSecret: "renewed"})
				w.sim.RevokeTokens(contoso)
			},
			func(w *fixture) {
				w.sim.AddTenant(simulator.Tenant{ID: contoso, ClientID: clientID, ClientSecret: password})
			},
			fault.TenantSecretInvalid,
		},
		"permission": {
			func(w *fixture) {
				w.sim.AddTenant(
					simulator.Tenant{
						ID:           contoso,
						ClientID:     clientID,
						ClientSecret: password,
						Permissions:  []string{"Device.Read.All"},
					},
				)
				w.sim.RevokeTokens(contoso)
			},
			func(w *fixture) {
				w.sim.AddTenant(simulator.Tenant{ID: contoso, ClientID: clientID, ClientSecret: password})
				w.sim.RevokeTokens(contoso)
			},
			fault.TenantPermissionMissing,
		},
		"approval": {
			func(w *fixture) { _ = w.sim.SetApproval(contoso, simulator.ApprovalWrites) },
			func(w *fixture) { _ = w.sim.SetApproval(contoso, simulator.ApprovalOff) },
			fault.GraphApprovalRequired,
		},
	}
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			w := newFixture(t)
			w.profile(w.group("KIOSK"))
			ids := w.all(3, "KIOSK", "")
			r.do(w)
			w.check(ids...)
			for _, id := range ids {
				d := w.want(id, device.Registered, r.want)
				if pause := d.Due.Sub(w.now()); pause < 5*time.Minute || d.Attempts != 0 {
					t.Errorf("waits %s with %d attempts", pause, d.Attempts)
				}
			}
			if n := w.count(updates); n > 1 {
				t.Errorf("%d updates: one refusal speaks for the tenant", n)
			}
			r.undo(w)
			w.untilDue(ids[2])
			w.finish(ids...)
			w.want(ids[0], device.Ready, "")
		})
	}
}

func TestUnknownTenantWaitsForItsConfiguration(t *testing.T) {
	w := newFixture(t)
	id := w.registered("KIOSK", "")
	w.stage.Tenants = noTenants{}
	w.check(id)
	if d := w.want(id, device.Registered, fault.TenantUnknown); d.Due.Sub(w.now()) < 5*time.Minute {
		t.Errorf("due %v", d.Due)
	}
	if len(w.sim.Log()) != 0 {
		t.Error("something was sent")
	}
}

type noTenants struct{}

func (noTenants) Get(id device.TenantID) (tenant.Tenant, error) {
	return tenant.Tenant{}, fault.New(fault.TenantUnknown, string(id))
}

func TestDeviceThatVanishes(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	lost := w.accepted("KIOSK", hwhash.Synthetic(900), hwhash.Synthetic(901))
	w.handOver(lost[0], nowhere, w.now())
	w.handOver(lost[1], "", w.now())
	gone := lost[0].ID
	none := lost[1].ID
	late := w.registered("KIOSK", "KIOSK")
	w.fault(
		simulator.Fault{
			Operation: "identities.get",
			Times:     1,
			Nth:       1,
			Effect:    simulator.Reply,
			Status:    404,
			Code:      "ResourceNotFound",
		},
	)
	w.check(late)
	w.want(late, device.Registered, fault.GraphNotFound)
	w.check(gone)
	w.want(gone, device.Registered, fault.GraphNotFound)
	w.advance(15 * time.Minute)
	w.check(late, gone)
	w.want(late, device.Ready, "")
	w.want(gone, device.Registered, fault.GraphNotFound)
	w.advance(50 * time.Minute)
	w.check(gone)
	if d := w.want(gone, device.Dead, fault.AutopilotNotRegistered); !strings.Contains(
		d.Detail,
		"since 2026-09-01T12:00:00Z",
	) {
		t.Errorf("detail %q", d.Detail)
	}
	w.check(none)
	w.want(none, device.Dead, fault.AutopilotNotRegistered)
}

func TestSlowIsNotFailed(t *testing.T) {
	w := newFixture(t, func(s *setup) { s.sim.Delays.Group = seconds(7 * 24 * 3600) })
	w.profile(w.group("KIOSK"))
	id := w.registered("KIOSK", "KIOSK")
	overdue := func() float64 {
		return w.counted("taxiway_grouper_overdue_total", string(device.Tagged), string(fault.GroupMembershipPending))
	}
	if err := w.piped(id); err != nil {
		t.Fatal(err)
	}
	w.advance(3 * time.Hour)
	if err := w.piped(id); err != nil || overdue() != 0 || w.log.Len() != 0 {
		t.Errorf("%v, alarm before its time: %s", err, w.log)
	}
	w.advance(2 * time.Hour)
	if err := w.piped(id); err != nil || overdue() != 1 ||
		strings.Count(w.log.String(), "devices wait for longer than expected") != 1 {
		t.Errorf("%v, %v overdue, log %s", err, overdue(), w.log)
	}
	w.want(id, device.Tagged, fault.GroupMembershipPending)
	if n := w.counted("taxiway_grouper_checks_total", string(device.Tagged), string(fault.GroupMembershipPending)); n != 3 {
		t.Errorf("%v looks counted", n)
	}
	w.advance(7 * 24 * time.Hour)
	if err := w.piped(id); err != nil {
		t.Fatal(err)
	}
	w.want(id, device.Ready, "")
}

func TestLedgerTroubleBringsTheEventAgain(t *testing.T) {
	w := newFixture(t)
	id := w.registered("KIOSK", "")
	_ = w.ledger.Close()
	err := w.stage.Handle(t.Context(), event.ForDevices(event.DevicesRegistered, "/test", here, []string{id}, w.now()))
	if fault.CodeOf(err) != fault.LedgerUnavailable || fault.KindOf(err) != fault.Transient {
		t.Errorf("%v", err)
	}
}

// TestChaos: whatever Graph does, every device gets ready in the end, and nobody's tag is wrong.
func TestChaos(t *testing.T) {
	w := newFixture(t, func(s *setup) {
		s.sim.Delays.Tag = seconds(30)
		s.sim.Delays.Group = seconds(120)
		s.sim.Delays.ProfileAssign = seconds(60)
		s.sim.Quirks.ConditionNotMet = 0.1
		s.timings.MaxAttempts = 1000
		s.sim.Chaos = simulator.Chaos{
			Throttle:    0.01,
			Unavailable: 0.02,
			ServerError: 0.02,
			ResetBefore: 0.01,
			ResetAfter:  0.01,
			Truncate:    0.01,
		}
	})
	w.profile(w.group("KIOSK"), w.group("LAB"))
	ids := slices.Concat(w.all(8, "KIOSK", ""), w.all(8, "LAB", "KIOSK"), w.all(4, "KIOSK", "KIOSK"))
	isReady := func(id string) bool { return w.device(id).State == device.Ready }
	for range 200 {
		for chunk := range slices.Chunk(slices.Clone(ids), 10) {
			w.check(chunk...)
		}
		w.advance(time.Minute)
		ids = slices.DeleteFunc(ids, isReady)
	}
	for _, id := range ids {
		t.Errorf("not ready: %+v", w.device(id))
	}
	if got := len(slices.Compact(w.announced())); got != 20 {
		t.Errorf("%d of 20 devices announced", got)
	}
	state, err := w.sim.State(contoso)
	for _, i := range state.Identities {
		if want, err := w.ledger.BySerial(t.Context(), here, device.NewSerial(i.Serial)); err != nil ||
			want[0].GroupTag != i.GroupTag {
			t.Errorf("tag %q, %v", i.GroupTag, err)
		}
	}
	if err != nil || len(state.Identities) != 20 {
		t.Errorf("%d identities, %v", len(state.Identities), err)
	}
}
