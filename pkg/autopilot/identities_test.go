package autopilot_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

func TestIdentitiesAnswerOneByOne(t *testing.T) {
	r := newFixture(t)
	ids := r.registered(machines(t, 45)...)
	var asked []string
	for _, id := range ids {
		asked = append(asked, id)
	}
	missing := "00000000-0000-4000-8000-00000000dead"
	asked = append(asked, missing)
	r.fault(simulator.Fault{Operation: "identities.get", Nth: 5, Effect: simulator.Reply, Status: 429, RetryAfter: "3"})
	r.fault(simulator.Fault{Operation: "identities.get", Nth: 30, Effect: simulator.Reply, Status: 500})
	found := r.Identities(t.Context(), asked)
	codes := map[fault.Code]int{}
	for _, id := range asked {
		l := found[id]
		codes[fault.CodeOf(l.Err)]++
		if l.Err == nil &&
			(l.Value.ID != id || ids[l.Value.Serial.Reveal()] != id || l.Value.Manufacturer == "" || l.Value.EntraDeviceID == "") {
			t.Errorf("%s: %+v", id, l.Value)
		}
	}
	if codes[fault.CodeUnknown] != 43 || codes[fault.GraphThrottled] != 1 || codes[fault.GraphUnavailable] != 1 ||
		fault.CodeOf(found[missing].Err) != fault.GraphNotFound {
		t.Errorf("got %v", codes)
	}
	if n := r.count("batch"); n != 3 {
		t.Errorf("%d batches for 46 devices, want 3", n)
	}
}

func TestProfileIsAssignedWhenStatusAndDateSaySo(t *testing.T) {
	r := newFixture(t, func(_ *autopilot.Settings, o *simulator.Options) {
		o.Delays.Group = seconds(60)
		o.Delays.ProfilePending = seconds(60)
		o.Delays.ProfileAssign = seconds(60)
		o.Delays.ProfileSync = seconds(60)
	})
	group, err := r.sim.SeedGroup(contoso, "all", `(device.devicePhysicalIDs -any (_ -startsWith "[ZTDid]"))`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.sim.SeedProfile(contoso, "p", group); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Import(t.Context(), machines(t, 1), importID); err != nil {
		t.Fatal(err)
	}
	records, err := r.Imported(t.Context(), autopilot.Wanted{ImportID: importID})
	if err != nil {
		t.Fatal(err)
	}
	id := records[0].RegistrationID
	var seen []autopilot.ProfileStatus
	for range 6 {
		l := r.Identities(t.Context(), []string{id})[id]
		if l.Err != nil {
			t.Fatal(l.Err)
		}
		seen = append(seen, l.Value.Profile)
		if status := string(l.Value.Profile); l.Value.ProfileAssigned() != (status == "assignedInSync" || status == "assignedUnkownSyncState") {
			t.Errorf("%s at %v is assigned: %v", status, l.Value.ProfileAt, l.Value.ProfileAssigned())
		}
		r.sim.Advance(time.Minute)
	}
	if seen = slices.Compact(seen); len(seen) < 4 || seen[0] != autopilot.ProfileNotAssigned ||
		seen[1] != autopilot.ProfilePending {
		t.Errorf("statuses %v", seen)
	}
	if (autopilot.Identity{Profile: "assignedInSync"}).ProfileAssigned() {
		t.Error("a status without a date is not yet assigned")
	}
}

// TestFindBySerial: whatever the service can search for, the device found is the one asked for.
func TestFindBySerial(t *testing.T) {
	serials := []string{
		"123", "A1234", "5CG-0001-X", "VMware-56 4d 1e 0c", "VMware-56 4d 1e 0d", "O'Brien 7", "plain7", "%20&$", "Ümlaut-1",
	}
	for name, quirks := range map[string]simulator.Quirks{"as documented": {}, "refuses hyphens": {HyphenBug: true}} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, func(_ *autopilot.Settings, o *simulator.Options) { o.Quirks = quirks })
			var devices []autopilot.ImportDevice
			for i, s := range serials {
				devices = append(devices, machine(t, uint64(i+1), s))
			}
			for i := range 40 {
				devices = append(devices, machine(t, uint64(100+i), fmt.Sprintf("123-%d", i)))
			}
			ids := r.registered(devices...)
			for _, s := range serials {
				if quirks.HyphenBug && s == "%20&$" {
					continue
				}
				found, err := r.FindBySerial(t.Context(), device.NewSerial(s))
				if err != nil || len(found) != 1 || found[0].ID != ids[s] {
					t.Errorf("%q: %d found, %v", s, len(found), err)
				}
			}
			for _, s := range []string{"12", "", "nowhere", "VMware-56 4d 1e 0e"} {
				if found, err := r.FindBySerial(t.Context(), device.NewSerial(s)); err != nil || len(found) != 0 {
					t.Errorf("%q: %d found, %v", s, len(found), err)
				}
			}
			noSecrets(t, r.log.String(), devices[2:5]...)
		})
	}
}

func TestFindBySerialFindsAllOfOneSerial(t *testing.T) {
	r := newFixture(t)
	for _, n := range []uint64{1, 2} {
		h := machine(t, n, "SAME-1").Hash
		if _, err := r.sim.SeedRegistered(contoso, simulator.Registered{Hardware: simulator.Hardware{Hash: h.Wire()}}); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := r.FindBySerial(t.Context(), device.NewSerial("same-1")); err != nil || len(found) != 2 {
		t.Errorf("%d found, %v", len(found), err)
	}
}

func TestSetGroupTagAndAssignUser(t *testing.T) {
	r := newFixture(t)
	d := machine(t, 1, "")
	id := r.registered(d)[d.Serial.Reveal()]
	if err := r.SetGroupTag(t.Context(), id, "KIOSK"); err != nil {
		t.Fatal(err)
	}
	if err := r.AssignUser(t.Context(), id, "anna@contoso.example", ""); err != nil {
		t.Fatal(err)
	}
	if err := r.AssignUser(t.Context(), id, "anna@contoso.example", "Anna"); err != nil {
		t.Fatal(err)
	}
	l := r.Identities(t.Context(), []string{id})[id]
	if l.Err != nil || l.Value.GroupTag != "KIOSK" || l.Value.User != "anna@contoso.example" {
		t.Errorf("%+v", l)
	}
	r.fault(
		simulator.Fault{
			Operation: "identities.updateDeviceProperties",
			Effect:    simulator.Reply,
			Status:    412,
			Code:      "ConditionNotMet",
		},
	)
	err := r.SetGroupTag(t.Context(), id, "OTHER")
	r.wantCode(err, fault.GraphConflict)
	if fault.KindOf(err) != fault.Transient {
		t.Errorf("kind %s: a 412 is worth another try", fault.KindOf(err))
	}
	r.wantCode(r.SetGroupTag(t.Context(), "00000000-0000-4000-8000-00000000dead", "X"), fault.GraphNotFound)
}

func TestSync(t *testing.T) {
	r := newFixture(t, func(_ *autopilot.Settings, o *simulator.Options) {
		o.Delays.Sync = seconds(20)
		o.Delays.SyncFloor = seconds(600)
	})
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wantCode(r.Sync(t.Context()), fault.GraphConflict)
	r.sim.Advance(time.Minute)
	r.wantCode(r.Sync(t.Context()), fault.GraphThrottled)
	if len(r.budget.shut) != 0 {
		t.Error("a sync that came too early shut the tenant's gate")
	}
	r.sim.Advance(autopilot.SyncPause)
	if err := r.Sync(t.Context()); err != nil {
		t.Error(err)
	}
}
