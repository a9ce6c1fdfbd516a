package grouping_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/hwhash/hwhashtest"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/grouping"
)

func delivery(t *testing.T, e event.Event) broker.Delivery {
	t.Helper()
	headers, body, err := event.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	return broker.Delivery{
		Message: broker.Message{ID: e.ID, Type: string(e.Type), Tenant: string(e.Tenant), Headers: headers, Body: body},
		Attempt: 1,
	}
}

func seconds(n int) simulator.Delay {
	d := time.Duration(n) * time.Second
	return simulator.Delay{Min: d, Max: d}
}

func TestAllTheWayInOneDelivery(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	ids := w.all(100, "KIOSK", "KIOSK")
	w.check(ids...)
	for _, id := range ids {
		w.want(id, device.Ready, "")
	}
	d := w.device(ids[0])
	if d.Tag != "KIOSK" || d.EntraDeviceID == "" || d.Attempts != 0 {
		t.Errorf("device %+v", d)
	}
	timeline, err := w.ledger.Timeline(t.Context(), here, ids[0])
	var states []device.State
	for _, step := range timeline {
		states = append(states, step.To)
	}
	if want := []device.State{device.Collected, device.Submitting, device.Registered, device.Tagged, device.Grouped, device.Ready}; err != nil ||
		!slices.Equal(states, want) {
		t.Errorf("timeline %v, %v", states, err)
	}
	if got := w.announced(); !slices.Equal(got, slices.Sorted(slices.Values(ids))) {
		t.Errorf("%d devices announced", len(got))
	}
	if u, b, g, m := w.count(updates), w.count("batch"), w.count("groups.list"), w.count(members); u != 0 || b != 0 ||
		g != 1 ||
		m != 1 {
		t.Errorf("%d updates, %d batches, %d lists of groups, %d of members; want 0, 0, 1, 1", u, b, g, m)
	}
	if i, d := w.count("identities.list"), w.count("devices.list"); i != 1 || d != 1 {
		t.Errorf("%d lists of identities, %d of Entra devices; want one each for a hundred devices", i, d)
	}
}

func TestRedeliveryChangesNothing(t *testing.T) {
	w := newFixture(t, func(s *setup) { s.sim.Delays.Group = seconds(600) })
	w.profile(w.group("KIOSK"))
	waiting := w.all(3, "KIOSK", "")
	w.check(waiting...)
	before := w.want(waiting[0], device.Tagged, fault.GroupMembershipPending)
	for range 3 {
		w.check(waiting...)
	}
	after := w.want(waiting[0], device.Tagged, fault.GroupMembershipPending)
	if w.count(updates) != 3 || after.Attempts != before.Attempts {
		t.Errorf("%d updates for 3 devices", w.count(updates))
	}
}

func TestDeviceThatIsReadyIsLeftAlone(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	done := w.all(3, "KIOSK", "")
	w.finish(done...)
	asked := len(w.sim.Log())
	was := w.want(done[0], device.Ready, "")
	w.check(done...)
	w.check("unknown")
	if got := w.device(done[0]); len(w.sim.Log()) != asked || got.Version != was.Version || len(w.emitted.events) != 1 {
		t.Error("the event of a device that is ready had an effect")
	}
}

func TestTagIsWrittenOnlyWhenItDiffers(t *testing.T) {
	tests := map[string]struct {
		row, there string
		updates    int
		tag, after string
	}{
		"the same":                  {"KIOSK", "KIOSK", 0, "KIOSK", "KIOSK"},
		"another":                   {"KIOSK", "LAB", 1, "KIOSK", "KIOSK"},
		"none there":                {"KIOSK", "", 1, "KIOSK", "KIOSK"},
		"another case":              {"KIOSK", "kiosk", 1, "KIOSK", "KIOSK"},
		"by rule":                   {"SHOP-7", "SHOP-7", 1, "SHOP", "SHOP"},
		"by rule, there already":    {"SHOP-7", "SHOP", 0, "SHOP", "SHOP"},
		"nobody asks for one":       {"", "", 0, "", ""},
		"one that nobody asked for": {"", "BYHAND", 0, "", "BYHAND"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newFixture(t, func(s *setup) {
				shops := "SHOP-*"
				s.tenant.Rules = []tenant.Rule{{Tag: "SHOP", RowTag: &shops}, {Tag: "NEVER", Source: "another"}}
			})
			w.profile("*")
			w.group("KIOSK")
			w.group("SHOP")
			id := w.registered(tt.row, tt.there)
			w.check(id)
			w.check(id)
			d := w.want(id, device.Ready, "")
			if d.Tag != tt.tag || w.count(updates) != tt.updates {
				t.Errorf("tag %q after %d updates", d.Tag, w.count(updates))
			}
			state, err := w.sim.State(contoso)
			if err != nil || state.Identities[0].GroupTag != tt.after {
				t.Errorf("Autopilot has %q, %v", state.Identities[0].GroupTag, err)
			}
			if lists := w.count("groups.list") + w.count(members); (lists > 0) != (tt.tag != "") {
				t.Errorf("%d looks at groups", lists)
			}
		})
	}
}

func TestEntraObjectAndTagMayBeLate(t *testing.T) {
	w := newFixture(t, func(s *setup) {
		s.sim.Delays.DeviceVisible = seconds(100)
		s.sim.Delays.Tag = seconds(100)
		s.timings.Sync = -1
	})
	w.profile(w.group("KIOSK"))
	report := hwhash.Synthetic(1)
	d := w.accepted("KIOSK", report)[0]
	const importID = "aaaaaaaa-0000-4000-8000-000000000001"
	if _, err := w.client.Import(t.Context(), []autopilot.ImportDevice{{Serial: d.Serial, Hash: hwhashtest.Encode(w,
		report), GroupTag: "OTHER"}}, importID); err != nil {
		t.Fatal(err)
	}
	records, err := w.client.Imported(t.Context(), autopilot.Wanted{ImportID: importID})
	if err != nil {
		t.Fatal(err)
	}
	w.handOver(d, records[0].RegistrationID, w.now())
	id := d.ID
	var codes []fault.Code
	for range 20 {
		w.check(id)
		if d = w.device(id); d.State == device.Ready {
			break
		}
		codes = append(codes, d.Code)
		w.untilDue(id)
	}
	codes = slices.Compact(codes)
	if d.State != device.Ready || len(codes) == 0 || codes[0] != fault.GroupEntraPending {
		t.Errorf("%s after %v", d.State, codes)
	}
	if w.count("settings.sync") != 0 {
		t.Error("synchronised although it was switched off")
	}
}

func TestChangedTagIsBroughtToEntraBySynchronising(t *testing.T) {
	w := newFixture(t, func(s *setup) {
		s.sim.Quirks.TagAfterSync = true
		s.sim.Delays.Sync = seconds(20)
		s.sim.Delays.SyncFloor = seconds(600)
	})
	w.profile(w.group("KIOSK"))
	ids := w.all(3, "KIOSK", "LAB")
	w.check(ids[0])
	w.check(ids[1:]...)
	w.want(ids[0], device.Tagged, fault.GroupTagPending)
	if w.count("settings.sync") != 1 {
		t.Errorf("%d synchronisations asked for, want one for all", w.count("settings.sync"))
	}
	w.advance(time.Minute)
	w.check(ids...)
	w.want(ids[2], device.Ready, "")
	if w.count(updates) != 3 {
		t.Errorf("%d updates", w.count(updates))
	}
	late := w.registered("KIOSK", "LAB")
	w.check(late)
	if w.count("settings.sync") != 1 {
		t.Error("synchronised twice within the pause")
	}
	w.advance(autopilot.SyncPause)
	w.check(late)
	w.advance(time.Minute)
	w.check(late)
	w.want(late, device.Ready, "")
}

func TestGroupMissingUntilSomebodyMakesIt(t *testing.T) {
	w := newFixture(t)
	w.profile("*")
	id := w.registered("KIOSK", "KIOSK")
	w.group("LAB")
	w.check(id)
	if d := w.want(id, device.Tagged, fault.GroupNone); !strings.Contains(
		d.Detail,
		`1 dynamic groups has a rule for tag "KIOSK"`,
	) {
		t.Errorf("detail %q", d.Detail)
	}
	w.group("KIOSK")
	w.advance(time.Minute)
	w.check(id)
	w.want(id, device.Ready, "")
}

func TestConfiguredGroupIsNotSearchedFor(t *testing.T) {
	w := newFixture(t)
	w.profile("*")
	w.group("KIOSK") // would be found by its rule
	everyone, err := w.sim.SeedGroup(contoso, "all", `(device.devicePhysicalIDs -any (_ -startsWith "[ZTDid]"))`)
	if err != nil {
		t.Fatal(err)
	}
	configured := tenantWith{w.stage.Tenants, []tenant.Group{{Tag: "kiosk", ID: everyone}, {Tag: "LAB", ID: nowhere}}}
	w.stage.Tenants = configured
	kiosk := w.registered("KIOSK", "KIOSK")
	lab := w.registered("LAB", "LAB")
	w.check(kiosk, lab)
	w.want(kiosk, device.Ready, "")
	if d := w.want(lab, device.Tagged, fault.GroupNone); !strings.Contains(d.Detail, nowhere) {
		t.Errorf("detail %q", d.Detail)
	}
	if w.count("groups.list") != 0 {
		t.Error("groups were searched although they are configured")
	}
}

type tenantWith struct {
	grouping.Tenants
	groups []tenant.Group
}

func (c tenantWith) Get(id device.TenantID) (tenant.Tenant, error) {
	t, err := c.Tenants.Get(id)
	t.Groups = c.groups
	return t, err
}

func TestDeletedGroupIsForgotten(t *testing.T) {
	w := newFixture(t, func(s *setup) { s.sim.Delays.Group = seconds(30) })
	w.profile("*")
	w.group("KIOSK")
	id := w.registered("KIOSK", "KIOSK")
	w.check(id)
	w.want(id, device.Tagged, fault.GroupMembershipPending)
	w.advance(15 * time.Second)
	w.fault(simulator.Fault{Operation: members, Effect: simulator.Reply, Status: 404, Code: "Request_ResourceNotFound"})
	w.check(id)
	w.want(id, device.Tagged, fault.GroupNone)
	w.advance(30 * time.Second)
	w.check(id)
	w.want(id, device.Ready, "")
	if w.count("groups.list") != 2 {
		t.Errorf("%d lists of groups: a group that is gone is searched for anew", w.count("groups.list"))
	}
}

// TestWaitsDouble: a device that waits is looked at less and less often, and at once more often when something has
// changed.
func TestWaitsDouble(t *testing.T) {
	w := newFixture(t, func(s *setup) {
		s.sim.Delays.Group = seconds(3600)
		s.sim.Delays.ProfilePending = seconds(3600)
		s.sim.Delays.ProfileAssign = seconds(60)
	})
	w.profile(w.group("KIOSK"))
	id := w.registered("KIOSK", "KIOSK")
	var got []time.Duration
	var codes []fault.Code
	for range 40 {
		w.check(id)
		d := w.device(id)
		if d.State == device.Ready {
			break
		}
		pause := w.untilDue(id)
		if len(codes) == 0 || codes[len(codes)-1] != d.Code {
			codes = append(codes, d.Code)
			got = append(got, 0)
		} else if pause < got[len(got)-1]*9/10 {
			t.Errorf("the pause shrank from %s to %s", got[len(got)-1], pause)
		}
		if first := got[len(got)-1] == 0; first && (pause < 15*time.Second || pause > 17*time.Second) ||
			pause > 11*time.Minute {
			t.Errorf("pause %s with %s", pause, d.Code)
		}
		got[len(got)-1] = pause
	}
	w.want(id, device.Ready, "")
	if diff := cmp.Diff([]fault.Code{fault.GroupMembershipPending, fault.GroupProfilePending}, codes); diff != "" {
		t.Error(diff)
	}
	if checks := w.count("batch"); checks > 40 {
		t.Errorf("%d batches in two hours of waiting", checks)
	}
}

func TestMembersAreReadOnceForAllWhoWait(t *testing.T) {
	w := newFixture(t, func(s *setup) { s.sim.Delays.Group = seconds(3600) })
	w.group("KIOSK")
	ids := w.all(30, "KIOSK", "KIOSK")
	for chunk := range slices.Chunk(ids, 5) {
		w.check(chunk...)
	}
	if w.count(members) != 1 || w.count("groups.list") != 1 {
		t.Errorf("%d lists of members, %d of groups for six chunks", w.count(members), w.count("groups.list"))
	}
	w.advance(15 * time.Second)
	w.check(ids...)
	if w.count(members) != 2 {
		t.Errorf("%d lists of members: the second look must be a fresh one", w.count(members))
	}
}

func TestPausedGroupIsNamed(t *testing.T) {
	w := newFixture(t, func(s *setup) {
		s.wrap = func(a grouping.Autopilot) grouping.Autopilot { return pausedGroups{a} }
		s.sim.Delays.Group = seconds(3600)
	})
	w.group("KIOSK")
	id := w.registered("KIOSK", "KIOSK")
	w.check(id)
	if d := w.want(id, device.Tagged, fault.GroupMembershipPending); !strings.Contains(
		d.Detail,
		"AP KIOSK) is paused",
	) {
		t.Errorf("detail %q", d.Detail)
	}
}

type pausedGroups struct{ grouping.Autopilot }

func (p pausedGroups) DynamicGroups(ctx context.Context) ([]autopilot.Group, error) {
	groups, err := p.Autopilot.DynamicGroups(ctx)
	for i := range groups {
		groups[i].Paused = true
	}
	return groups, err
}

func TestFailedProfileWaitsForTheAdministrator(t *testing.T) {
	failed := true
	w := newFixture(t, func(s *setup) {
		s.wrap = func(a grouping.Autopilot) grouping.Autopilot { return profileFails{a, &failed} }
	})
	w.profile(w.group("KIOSK"))
	id := w.registered("KIOSK", "KIOSK")
	w.check(id)
	if d := w.want(id, device.Grouped, fault.GroupProfileFailed); !strings.Contains(
		d.Detail,
		"hardwareRequirementsNotMet",
	) {
		t.Errorf("detail %q", d.Detail)
	}
	failed = false
	w.check(id)
	w.want(id, device.Ready, "")
}

type profileFails struct {
	grouping.Autopilot
	failed *bool
}

func (p profileFails) Identities(ctx context.Context, ids []string) map[string]autopilot.Lookup[autopilot.Identity] {
	found := p.Autopilot.Identities(ctx, ids)
	for id, l := range found {
		if *p.failed {
			l.Value.Profile = autopilot.ProfileFailed
			l.Value.ProfileDetail = "hardwareRequirementsNotMet"
		}
		found[id] = l
	}
	return found
}

func TestReadyIsAnnouncedBeforeItIsCommitted(t *testing.T) {
	w := newFixture(t)
	w.profile(w.group("KIOSK"))
	ids := w.all(2, "KIOSK", "KIOSK")
	w.emitted.err = fault.New(fault.BrokerUnavailable, "down")
	if err := w.deliver(ids...); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("%v", err)
	}
	d := w.device(ids[0])
	if d.State != device.Grouped || d.Due.IsZero() {
		t.Errorf("%s, due %v: must be looked at again", d.State, d.Due)
	}
	w.emitted.err = nil
	w.check(ids...)
	w.want(ids[1], device.Ready, "")
	if len(w.announced()) != 2 {
		t.Errorf("announced %v", w.announced())
	}
}

func TestWorkThatIsToldToStopLeavesNoTrace(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := newFixture(t, func(s *setup) {
		s.wrap = func(a grouping.Autopilot) grouping.Autopilot { return hooked{a, cancel} }
	})
	id := w.registered("KIOSK", "")
	before := w.device(id)
	err := w.stage.Handle(ctx, event.ForDevices(event.DevicesRegistered, "/test", here, []string{id}, w.now()))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(before, w.device(id)); diff != "" {
		t.Error(diff)
	}
}

// hooked does something right after the identities were read.
type hooked struct {
	grouping.Autopilot
	hook func()
}

func (h hooked) Identities(ctx context.Context, ids []string) map[string]autopilot.Lookup[autopilot.Identity] {
	found := h.Autopilot.Identities(ctx, ids)
	h.hook()
	return found
}

func TestDeviceMovedBySomebodyElseIsLeftToThem(t *testing.T) {
	var w *fixture
	var ids []string
	w = newFixture(t, func(s *setup) {
		s.wrap = func(a grouping.Autopilot) grouping.Autopilot {
			return hooked{a, func() {
				d := w.device(ids[0])
				if _, err := w.ledger.Move(t.Context(), ledger.Move{
					Tenant: here, Device: d.ID, Version: d.Version, To: device.Retired, By: "operator:anna",
				}); err != nil {
					t.Error(err)
				}
			}}
		}
	})
	w.profile(w.group("KIOSK"))
	ids = w.all(2, "KIOSK", "KIOSK")
	w.check(ids...)
	w.want(ids[0], device.Retired, "")
	w.want(ids[1], device.Ready, "")
	if got := w.announced(); !slices.Equal(got, ids[1:]) {
		t.Errorf("announced %v", got)
	}
}
