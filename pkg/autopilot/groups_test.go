package autopilot_test

import (
	"fmt"
	"slices"
	"testing"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/fault"
)

const (
	exact  = `(device.devicePhysicalIds -any (_ -eq "[OrderID]:%s"))`
	prefix = `(device.devicePhysicalIds -any (_ -startsWith "[OrderID]:%s"))`
)

func TestFromTagToMember(t *testing.T) {
	r := newFixture(t)
	for i := range 7 {
		if _, err := r.sim.SeedGroup(contoso, fmt.Sprint("other ", i), fmt.Sprintf(exact, fmt.Sprint("T", i))); err != nil {
			t.Fatal(err)
		}
	}
	want, err := r.sim.SeedGroup(contoso, "kiosks", fmt.Sprintf(exact, "KIOSK"))
	if err != nil {
		t.Fatal(err)
	}
	devices := machines(t, 12)
	for i := range devices[:10] {
		devices[i].GroupTag = "KIOSK"
	}
	ids := r.registered(devices...)
	var entraIDs []string
	for _, l := range r.Identities(t.Context(), []string{ids[devices[0].Serial.Reveal()], ids[devices[11].Serial.Reveal()]}) {
		if l.Err != nil {
			t.Fatal(l.Err)
		}
		entraIDs = append(entraIDs, l.Value.EntraDeviceID)
	}
	entra := r.EntraDevices(t.Context(), append(entraIDs, "00000000-0000-4000-8000-00000000dead"))
	r.wantCode(entra["00000000-0000-4000-8000-00000000dead"].Err, fault.GraphNotFound)
	var objects []string
	tags := map[string]string{}
	for _, id := range entraIDs {
		d := entra[id].Value
		tag, tagged := d.GroupTag()
		if ztd, ok := d.AutopilotID(); !ok ||
			!slices.Contains([]string{ids[devices[0].Serial.Reveal()], ids[devices[11].Serial.Reveal()]}, ztd) ||
			tagged != (tag == "KIOSK") {
			t.Errorf("Entra device %+v", entra[id])
		}
		objects = append(objects, d.ObjectID)
		tags[d.ObjectID] = tag
	}
	groups, err := r.DynamicGroups(t.Context())
	if err != nil || len(groups) != 8 {
		t.Fatalf("%d groups, %v", len(groups), err)
	}
	g, ok := autopilot.GroupOf(groups, "kiosk")
	if !ok || g.ID != want || g.Name != "kiosks" || g.Paused {
		t.Fatalf("group %+v", g)
	}
	members := map[string]bool{}
	for id, err := range r.Members(t.Context(), g.ID) {
		if err != nil {
			t.Fatal(err)
		}
		members[id] = true
	}
	for _, id := range objects {
		if members[id] != (tags[id] == "KIOSK") || len(members) != 10 {
			t.Errorf("device with tag %q is one of %d members: %v", tags[id], len(members), members[id])
		}
	}
}

func TestMembersPassesErrorsOn(t *testing.T) {
	r := newFixture(t)
	group, err := r.sim.SeedGroup(contoso, "all", `(device.devicePhysicalIDs -any (_ -startsWith "[ZTDid]"))`)
	if err != nil {
		t.Fatal(err)
	}
	r.registered(machines(t, 10)...)
	for range r.Members(t.Context(), group) {
		break
	}
	for _, err := range r.Members(t.Context(), "00000000-0000-4000-8000-00000000dead") {
		r.wantCode(err, fault.GraphNotFound)
	}
	r.fault(simulator.Fault{Operation: "groups.members", Effect: simulator.Reply, Status: 403, Code: "Forbidden"})
	for id, err := range r.Members(t.Context(), group) {
		if r.wantCode(err, fault.TenantPermissionMissing); id != "" {
			t.Errorf("a member beside an error: %s", id)
		}
	}
}

func TestGroupOf(t *testing.T) {
	named := func(id, rule string) autopilot.Group { return autopilot.Group{ID: id, Rule: rule} }
	whole := named("whole", fmt.Sprintf(exact, "KIOSK"))
	old := named("old", `device.devicePhysicalIDs -any _ -eq "[orderid]:kiosk"`)
	part := named("part", fmt.Sprintf(exact, "KIOSK")+` -or `+fmt.Sprintf(exact, "LAB"))
	short := named("short", fmt.Sprintf(prefix, "KI"))
	long := named("long", fmt.Sprintf(prefix, "KIO"))
	everyone := named("everyone", `(device.devicePhysicalIDs -any (_ -startsWith "[ZTDid]"))`)
	purchase := named("purchase", `(device.devicePhysicalIds -any (_ -eq "[PurchaseOrderId]:KIOSK"))`)
	offline := named("offline", `(device.enrollmentProfileName -eq "OfflineAutopilotprofile-KIOSK")`)
	odd := named("odd", "(device.devicePhysicalIds -any (_ -eq \"[OrderID]:A`\"B``C\"))")
	paused := whole
	paused.ID = "paused"
	paused.Paused = true
	tests := map[string]struct {
		groups []autopilot.Group
		tag    string
		want   string
	}{
		"exact before clause before prefix": {[]autopilot.Group{everyone, short, long, part, whole, purchase, offline}, "Kiosk", "whole"},
		"clause before prefix":              {[]autopilot.Group{long, part}, "KIOSK", "part"},
		"the other clause":                  {[]autopilot.Group{long, part}, "lab", "part"},
		"longest prefix":                    {[]autopilot.Group{short, long}, "KIOSK", "long"},
		"form without parentheses":          {[]autopilot.Group{long, old}, "KIOSK", "old"},
		"processed before paused":           {[]autopilot.Group{paused, short}, "KIOSK", "short"},
		"paused before none":                {[]autopilot.Group{paused}, "KIOSK", "paused"},
		"first by id":                       {[]autopilot.Group{named("b", whole.Rule), named("a", whole.Rule)}, "KIOSK", "a"},
		"escaped":                           {[]autopilot.Group{odd}, "A\"B`C", "odd"},
		"none":                              {[]autopilot.Group{everyone, purchase, offline, whole}, "OTHER", ""},
		"a tag is not its prefix":           {[]autopilot.Group{whole}, "KIOSK-2", ""},
		"no tag":                            {[]autopilot.Group{everyone, short}, "", ""},
		"no groups":                         {nil, "KIOSK", ""},
	}
	for name, tt := range tests {
		g, ok := autopilot.GroupOf(tt.groups, tt.tag)
		if g.ID != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: got %q", name, g.ID)
		}
	}
}
