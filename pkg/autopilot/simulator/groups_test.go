package simulator

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRules(t *testing.T) {
	properties := map[string][]string{
		"devicePhysicalIds":     {"[HWID]:h:1", "[ZTDID]:z", "[OrderId]:SITE1-Kiosk", "[PurchaseOrderId]:762"},
		"enrollmentProfileName": {"OfflineAutopilotprofile-1"}, "displayName": {"PC"},
	}
	for text, want := range map[string]bool{
		`(device.devicePhysicalIDs -any (_ -startsWith "[ZTDid]"))`:                                                    true,
		`(device.devicePhysicalIds -any (_ -eq "[OrderID]:site1-KIOSK"))`:                                              true,
		`(device.devicePhysicalIds -any (_ -eq "[OrderID]:SITE1"))`:                                                    false,
		`(device.devicePhysicalIds -any _ -eq "[OrderID]:SITE1-Kiosk")`:                                                true,
		`device.devicePhysicalIds -any _ -startsWith "[OrderID]:SITE1-"`:                                               true,
		`(device.devicePhysicalIds -any (_ -eq "[PurchaseOrderId]:762"))`:                                              true,
		`(device.devicePhysicalIds -any (_ -contains "kiosk"))`:                                                        true,
		`(device.enrollmentProfileName -eq "OfflineAutopilotprofile-1")`:                                               true,
		`(device.enrollmentProfileName -ne "OfflineAutopilotprofile-1")`:                                               false,
		`(device.devicePhysicalIds -any (_ -eq "x")) -or (device.displayName -eq 'pc')`:                                true,
		`(device.devicePhysicalIds -any (_ -eq "x")) -or (device.displayName -eq "a" -and device.displayName -eq "b")`: false,
		`-not (device.displayName -eq "x")`:                                                                            true,
		`device.displayName -notStartsWith "P"`:                                                                        false,
	} {
		r, err := parseRule(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := r.match(func(p string) []string { return properties[p] }); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, text := range []string{
		"", "device", `(device.devicePhysicalIds -any (_ -eq "x")`, `device.devicePhysicalIds -eq "x"`,
		`device.displayName -any (_ -eq "x")`,
		`device.displayName -eq x`, `device.displayName -eq "x`, `user.displayName -eq "x"`, `device.displayname -eq "x"`,
		`device.displayName -like "x"`, `device.displayName -eq "x" "y"`, `device.devicePhysicalIds -any (x -eq "y")`,
		strings.Repeat("(", 100) + `device.displayName -eq "x"` + strings.Repeat(")", 100),
		`device.displayName -eq "` + strings.Repeat("x", maxRule) + `"`,
	} {
		if _, err := parseRule(text); err == nil {
			t.Errorf("accepted: %.60s", text)
		}
	}
	r, err := parseRule("device.displayName -eq \"a`\"b\" -or device.displayName -eq 'it''s'")
	if err != nil || r.parts[0].value != `a"b` || r.parts[1].value != "it's" {
		t.Errorf("escapes: %+v %v", r, err)
	}
}

func newGroup(name, rule string) row {
	return row{
		"displayName": name, "mailEnabled": false, "mailNickname": "ap", "securityEnabled": true,
		"groupTypes": []string{"DynamicMembership"}, "membershipRule": rule, "membershipRuleProcessingState": "On",
	}
}

func tagRule(tag string) string {
	return fmt.Sprintf(`(device.devicePhysicalIds -any (_ -eq "[OrderID]:%s"))`, tag)
}

func TestGroupRefusals(t *testing.T) {
	o := patient()
	o.MaxGroups = 1
	r := newFixture(t, o)
	for name, change := range map[string]row{
		"no name": {"displayName": nil}, "long name": {"displayName": strings.Repeat("x", 257)}, "nickname": {"mailNickname": "a b"},
		"no nickname": {"mailNickname": nil}, "mail": {"mailEnabled": true}, "rule": {"membershipRule": "device"},
		"long rule": {"membershipRule": tagRule(strings.Repeat("x", 3072))}, "state": {"membershipRuleProcessingState": "Off"},
		"no rule": {"membershipRule": nil}, "static with rule": {"groupTypes": []string{}}, "unknown": {"colour": "red"},
		"owners": {"owners@odata.bind": make([]string, 21)},
	} {
		g := newGroup("G", tagRule("x"))
		for k, v := range change {
			g[k] = v
		}
		if a := r.do("POST", "/v1.0/groups", g); a.status != 400 || a.code() != "Request_BadRequest" {
			t.Errorf("%s: %d %v", name, a.status, a.body)
		}
	}
	r.must(201, "POST", "/v1.0/groups", newGroup("G", tagRule("x")))
	r.must(400, "POST", "/v1.0/groups", newGroup("G", tagRule("x")))
}

func TestGroupLife(t *testing.T) {
	o := patient()
	o.Delays.GroupVisible = seconds(3, 3)
	r := newFixture(t, o)
	seedDevices(r, 2)
	id := r.must(201, "POST", "/v1.0/groups", newGroup("G", tagRule("NL")))["id"].(string)
	path := "/v1.0/groups/" + id
	r.must(404, "GET", path, nil)
	r.s.Advance(3 * time.Second)
	r.must(200, "GET", path, nil)
	if got := r.all("/v1.0/groups?$filter=" + url.QueryEscape("startswith(displayName,'g')")); len(got) != 1 {
		t.Errorf("list: %v", got)
	}
	if got := r.all("/v1.0/groups?$select=id&$filter=" + url.QueryEscape("displayName eq 'other'")); len(got) != 0 {
		t.Errorf("list: %v", got)
	}
	status := func() any {
		return r.must(200, "GET", "/beta/groups/"+id, nil)["membershipRuleProcessingStatus"].(row)["status"]
	}
	if status() != "Running" {
		t.Error(status())
	}
	r.s.Advance(15 * time.Minute)
	if status() != "Succeeded" {
		t.Error(status())
	}
	r.must(400, "PATCH", path, row{"membershipRule": "nonsense"})
	r.must(204, "PATCH", path, row{"displayName": "H"})
	got := r.must(200, "GET", path, nil)
	if got["displayName"] != "H" || got["membershipRule"] != tagRule("NL") {
		t.Errorf("%v", got)
	}
	r.must(400, "POST", path+"/members/$ref", row{"@odata.id": "x"})
	r.must(204, "DELETE", path, nil)
	r.must(404, "GET", path, nil)
}

// members are the serials (display names) in a group.
func (r *fixture) members(groupID string) []string {
	r.Helper()
	out := []string{}
	for _, m := range r.all("/v1.0/groups/" + groupID + "/members") {
		out = append(out, m["displayName"].(string))
	}
	slices.Sort(out)
	return out
}

func (r *fixture) retag(serial, tag string) {
	r.Helper()
	for _, d := range r.state(contoso).Identities {
		if d.Serial == serial {
			r.must(204, "POST", identityPath+"/"+d.ID+"/updateDeviceProperties", row{"groupTag": tag})
			return
		}
	}
	r.Fatalf("no device %s", serial)
}

func TestMembershipFollowsTheTag(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 3)
	nl, err := r.s.SeedGroup(contoso, "NL", tagRule("NL"))
	if err != nil {
		t.Fatal(err)
	}
	de, err := r.s.SeedGroup(contoso, "DE", tagRule("DE"))
	if err != nil {
		t.Fatal(err)
	}
	r.retag("S00", "nl")
	r.retag("S01", "DE")
	if got := r.members(nl); len(got) != 0 {
		t.Errorf("at once: %v", got)
	}
	r.s.Advance(20 * time.Minute)
	if diff := cmp.Diff([][]string{{"S00"}, {"S01"}}, [][]string{r.members(nl), r.members(de)}); diff != "" {
		t.Error(diff)
	}
	r.retag("S00", "DE")
	r.s.Advance(20 * time.Minute)
	if diff := cmp.Diff([][]string{{}, {"S00", "S01"}}, [][]string{r.members(nl), r.members(de)}); diff != "" {
		t.Error(diff)
	}
}

func TestPausedGroup(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 1)
	id, err := r.s.SeedGroup(contoso, "NL", tagRule("NL"))
	if err != nil {
		t.Fatal(err)
	}
	r.must(204, "PATCH", "/v1.0/groups/"+id, row{"membershipRuleProcessingState": "Paused"})
	r.retag("S00", "NL")
	r.s.Advance(30 * time.Minute)
	if got := r.members(id); len(got) != 0 {
		t.Errorf("while paused: %v", got)
	}
	r.must(204, "PATCH", "/v1.0/groups/"+id, row{"membershipRuleProcessingState": "On"})
	r.s.Advance(20 * time.Minute)
	if got := r.members(id); len(got) != 1 {
		t.Errorf("resumed: %v", got)
	}
}

// Changes are worked off in the order in which they came, whatever delay each
// of them draws.
func TestMembershipInOrder(t *testing.T) {
	o := patient()
	o.Delays.Group = seconds(10, 500)
	r := newFixture(t, o)
	id, err := r.s.SeedGroup(contoso, "All", `(device.devicePhysicalIds -any (_ -startsWith "[ZTDid]"))`)
	if err != nil {
		t.Fatal(err)
	}
	r.s.Advance(time.Hour)
	r = r.as(contoso)
	seedDevices(r, 12)
	for range 60 {
		r.s.Advance(10 * time.Second)
		got := r.members(id)
		for i, serial := range got {
			if serial != fmt.Sprintf("S%02d", i) {
				t.Fatalf("out of order: %v", got)
			}
		}
	}
	if got := r.members(id); len(got) != 12 {
		t.Errorf("%v", got)
	}
}

func TestMemberPages(t *testing.T) {
	o := patient()
	o.Pages.Directory = 5
	r := newFixture(t, o)
	seedDevices(r, 12)
	id, err := r.s.SeedGroup(contoso, "All", `(device.devicePhysicalIds -any (_ -startsWith "[ZTDid]"))`)
	if err != nil {
		t.Fatal(err)
	}
	r.s.Advance(20 * time.Minute)
	path := "/v1.0/groups/" + id + "/members"
	if got := r.all(path + "?$select=id"); len(got) != 12 || len(got[0]) != 2 {
		t.Errorf("%v", got)
	}
	if got := r.all(path + "/microsoft.graph.device"); len(got) != 12 || got[0]["@odata.type"] != nil {
		t.Errorf("cast: %v", got)
	}
	filter := "?$count=true&$filter=" + url.QueryEscape("startswith(displayName,'S0')")
	r.must(400, "GET", path+filter, nil)
	first := r.must(200, "GET", path+filter, nil, "ConsistencyLevel", "eventual")
	if first["@odata.count"] != 10.0 {
		t.Errorf("count: %v", first["@odata.count"])
	}
	next := first["@odata.nextLink"].(string)
	r.must(400, "GET", next, nil)
	if second := r.must(200, "GET", next, nil, "ConsistencyLevel", "eventual"); second["@odata.count"] != nil {
		t.Errorf("count on page two: %v", second["@odata.count"])
	}
}

func TestDeviceFilters(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 3)
	e := r.state(contoso).Devices[0]
	filter := func(f string) string { return "/v1.0/devices?$filter=" + url.QueryEscape(f) }
	for f, want := range map[string]int{
		"deviceId eq '" + strings.ToUpper(e.DeviceID) + "'": 1, "deviceId eq '" + e.ID + "'": 0, "displayName eq 's01'": 1,
		"startswith(displayName,'S')": 3, "id in ('" + e.ID + "','x')": 1, "displayName eq 'S00' or displayName eq 'S01'": 2,
		"displayName eq 'S00' and deviceId eq 'x'": 0,
	} {
		if got := r.all(filter(f)); len(got) != want {
			t.Errorf("%s: %d", f, len(got))
		}
	}
	any := "physicalIds/any(p:p eq '" + e.PhysicalIDs[1] + "')"
	r.must(400, "GET", filter(any), nil)
	r.must(400, "GET", filter(any)+"&$count=true", nil)
	r.must(400, "GET", filter(any), nil, "ConsistencyLevel", "eventual")
	if got := r.all(filter(any)+"&$count=true", "ConsistencyLevel", "eventual"); len(got) != 1 || got[0]["id"] != e.ID {
		t.Errorf("%v", got)
	}
	r.must(400, "GET", filter("trustType eq 'AzureAd'"), nil)
	r.must(400, "GET", "/v1.0/devices?$search=x", nil)
}

func TestEvaluate(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 1)
	e := r.state(contoso).Devices[0].ID
	path := "/beta/groups/evaluateDynamicMembership"
	got := r.must(200, "POST", path, row{"memberId": e, "membershipRule": `device.displayName -eq "S00"`})
	if got["membershipRuleEvaluationResult"] != true {
		t.Errorf("%v", got)
	}
	r.must(400, "POST", path, row{"memberId": e, "membershipRule": "x"})
	r.must(404, "POST", path, row{"memberId": "x", "membershipRule": `device.displayName -eq "S00"`})
}

func TestProfileChoice(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 2)
	all, err := r.s.SeedGroup(contoso, "All", `(device.devicePhysicalIds -any (_ -startsWith "[ZTDid]"))`)
	if err != nil {
		t.Fatal(err)
	}
	nl, err := r.s.SeedGroup(contoso, "NL", tagRule("NL"))
	if err != nil {
		t.Fatal(err)
	}
	fallback, err := r.s.SeedProfile(contoso, "Default", "*")
	if err != nil {
		t.Fatal(err)
	}
	old, err := r.s.SeedProfile(contoso, "Old", nl)
	if err != nil {
		t.Fatal(err)
	}
	r.s.Advance(40 * time.Minute)
	profile := func(serial string) string {
		for _, d := range r.state(contoso).Identities {
			if d.Serial == serial {
				return d.ProfileID
			}
		}
		return ""
	}
	if profile("S00") != fallback {
		t.Errorf("fallback: %s", profile("S00"))
	}
	young, err := r.s.SeedProfile(contoso, "Young", all)
	if err != nil {
		t.Fatal(err)
	}
	r = r.as(contoso)
	r.retag("S00", "NL")
	r.s.Advance(40 * time.Minute)
	if profile("S00") != old || profile("S01") != young {
		t.Errorf("oldest wins: %s %s", profile("S00"), profile("S01"))
	}
	r = r.as(contoso)
	everyone := row{"target": row{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}
	r.must(400, "POST", "/beta/"+profiles+"/"+young+"/assignments", everyone)
	r.must(400, "DELETE", "/beta/"+profiles+"/"+young, nil)
	r.must(200, "PATCH", "/beta/"+profiles+"/"+young, row{"description": "d"})
	r.must(204, "DELETE", "/beta/"+profiles+"/"+young+"/assignments/"+young+"_"+all+"_0", nil)
	if profile("S01") != fallback {
		t.Errorf("back to the fallback: %s", profile("S01"))
	}
	r.must(204, "DELETE", "/beta/"+profiles+"/"+young, nil)
	r.must(404, "GET", "/beta/"+profiles+"/"+young, nil)
	exclude := row{"target": row{"@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget", "groupId": all}}
	r.must(201, "POST", "/beta/"+profiles+"/"+old+"/assignments", exclude)
	if profile("S00") != fallback {
		t.Errorf("excluded: %s", profile("S00"))
	}
}

// A profile that is taken away on its way does not arrive.
func TestProfileTakenAway(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 1)
	p, err := r.s.SeedProfile(contoso, "P", "*")
	if err != nil {
		t.Fatal(err)
	}
	r.s.Advance(2 * time.Minute)
	if got := r.state(contoso).Identities[0].ProfileStatus; got != "pending" {
		t.Fatalf("on its way: %s", got)
	}
	r.must(204, "DELETE", "/beta/"+profiles+"/"+p+"/assignments/"+p+"_"+noGUID+"_0", nil)
	r.s.Advance(time.Hour)
	if d := r.state(contoso).Identities[0]; d.ProfileStatus != "notAssigned" || !d.ProfileAssigned.IsZero() ||
		d.ProfileID != "" {
		t.Errorf("%+v", d)
	}
}

// Deleting a group takes its profile away from the devices in it.
func TestDeletedGroupLosesItsProfile(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 1)
	all, err := r.s.SeedGroup(contoso, "All", `(device.devicePhysicalIds -any (_ -startsWith "[ZTDid]"))`)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.s.SeedProfile(contoso, "P", all)
	if err != nil {
		t.Fatal(err)
	}
	r.s.Advance(40 * time.Minute)
	if d := r.state(contoso).Identities[0]; d.ProfileID != p {
		t.Fatalf("%+v", d)
	}
	r.must(204, "DELETE", "/v1.0/groups/"+all, nil)
	if d := r.state(contoso).Identities[0]; d.ProfileID != "" || d.ProfileStatus != "notAssigned" {
		t.Errorf("%+v", d)
	}
	if rows := r.all("/beta/" + profiles + "/" + p + "/assignments"); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
}

func TestProfilePagesAndRefusals(t *testing.T) {
	o := patient()
	o.Pages.Profiles = 2
	r := newFixture(t, o)
	for i := range 5 {
		r.must(201, "POST", "/beta/"+profiles, row{"displayName": fmt.Sprint("P", i)})
	}
	if rows := r.all("/beta/" + profiles); len(rows) != 5 {
		t.Errorf("%d profiles", len(rows))
	}
	r.must(400, "POST", "/beta/"+profiles, row{"displayName": ""})
	r.must(400, "POST", "/beta/"+profiles, row{"name": "x"})
	r.must(400, "GET", "/beta/"+profiles+"?$filter=x", nil)
	id := r.all("/beta/" + profiles)[0]["id"].(string)
	for _, target := range []row{{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": noGUID}, {"@odata.type": "x"}} {
		r.must(400, "POST", "/beta/"+profiles+"/"+id+"/assignments", row{"target": target})
	}
}
