package simulator

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func seedDevices(r *fixture, n int) {
	r.Helper()
	for i := range n {
		if _, err := r.s.SeedRegistered(contoso, Registered{Hardware: Hardware{Serial: fmt.Sprintf("S%02d", i), Manufacturer: "Contoso"}}); err != nil {
			r.Fatal(err)
		}
	}
}

// Pages repeat the last serial of the page before.
func TestSerialCursorIsInclusive(t *testing.T) {
	o := patient()
	o.Pages.Identities = 2
	r := newFixture(t, o)
	seedDevices(r, 5)
	rows := r.all(identityPath)
	distinct := map[any]bool{}
	for _, d := range rows {
		distinct[d["id"]] = true
	}
	if len(distinct) != 5 || len(rows) <= 5 {
		t.Errorf("%d rows for %d devices", len(rows), len(distinct))
	}
	first := r.must(200, "GET", identityPath, nil)["@odata.nextLink"].(string)
	if !strings.Contains(first, url.QueryEscape("LastSerialNumber='S01'")) {
		t.Errorf("next link %s", first)
	}
}

// With one row per page the link never moves, as once observed.
func TestTopOneLoops(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 3)
	first := r.must(200, "GET", identityPath+"?$top=1", nil)
	second := r.must(200, "GET", first["@odata.nextLink"].(string), nil)
	if diff := cmp.Diff(first["value"], second["value"]); diff != "" ||
		first["@odata.nextLink"] != second["@odata.nextLink"] {
		t.Errorf("it moves: %s", diff)
	}
}

func TestExclusiveCursor(t *testing.T) {
	o := patient()
	o.Pages.Identities = 2
	o.Quirks.ExclusiveCursor = true
	r := newFixture(t, o)
	seedDevices(r, 5)
	if rows := r.all(identityPath); len(rows) != 5 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestSerialFilter(t *testing.T) {
	filter := func(f string) string { return identityPath + "?$filter=" + url.QueryEscape(f) }
	r := newFixture(t, patient())
	for _, serial := range []string{"123", "A1234", "VM 56 4d", "O'NEIL", "AB-12"} {
		if _, err := r.s.SeedRegistered(contoso, Registered{Hardware: Hardware{Serial: serial}}); err != nil {
			t.Fatal(err)
		}
	}
	for f, want := range map[string]int{
		"contains(serialNumber,'123')": 2, "contains(serialNumber,'vm 56')": 1, "contains(serialNumber,'O''NEIL')": 1,
		"contains(serialNumber,'AB-12')": 1, "contains(serialNumber,'nobody')": 0,
	} {
		if got := r.all(filter(f)); len(got) != want {
			t.Errorf("%s: %d rows, want %d", f, len(got), want)
		}
	}
	r.must(400, "GET", filter("serialNumber eq '123'"), nil)
	r.must(400, "GET", filter("contains(model,'x')"), nil)
	o := patient()
	o.Quirks.EqOnSerial = true
	o.Quirks.HyphenBug = true
	o.Quirks.SelectFails = true
	q := newFixture(t, o)
	seedDevices(q, 1)
	if got := q.all(filter("serialNumber eq 's00'")); len(got) != 1 {
		t.Errorf("eq: %v", got)
	}
	q.must(400, "GET", filter("contains(serialNumber,'a-b')"), nil)
	q.must(500, "GET", identityPath+"?$select=id", nil)
}

func TestBetaOnly(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 1)
	v1 := r.all(identityPath)[0]
	beta := r.all("/beta/" + identities)[0]
	if beta["deploymentProfileAssignmentStatus"] != "notAssigned" ||
		beta["deploymentProfileAssignedDateTime"] != noDate {
		t.Errorf("beta: %v", beta)
	}
	for name := range v1 {
		if _, has := beta[name]; !has {
			t.Errorf("beta lacks %s", name)
		}
	}
	if _, has := v1["azureAdDeviceId"]; has || len(beta) <= len(v1) {
		t.Errorf("v1.0: %v", v1)
	}
	id := v1["id"].(string)
	r.must(404, "GET", "/v1.0/"+settings, nil)
	r.must(404, "POST", identityPath+"/"+id+"/allowNextEnrollment", nil)
	r.must(204, "POST", "/beta/"+identities+"/"+id+"/allowNextEnrollment", nil)
	r.must(400, "POST", identityPath+"/"+id+"/updateDeviceProperties", row{"deviceFriendlyName": "x"})
	r.must(204, "POST", "/beta/"+identities+"/"+id+"/updateDeviceProperties", row{"deviceFriendlyName": "x"})
}

func TestProperties(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 1)
	path := identityPath + "/" + r.state(contoso).Identities[0].ID
	r.must(204, "POST", path+"/updateDeviceProperties", row{"groupTag": "NL", "displayName": "PC-1"})
	r.must(204, "POST", path+"/assignUserToDevice", row{"userPrincipalName": "a@b.example", "addressableUserName": "A"})
	got := r.must(200, "GET", path, nil)
	if got["groupTag"] != "NL" || got["displayName"] != "PC-1" || got["userPrincipalName"] != "a@b.example" {
		t.Errorf("%v", got)
	}
	r.must(204, "POST", path+"/unassignUserFromDevice", nil)
	r.must(204, "POST", path+"/updateDeviceProperties", row{"groupTag": nil})
	if got := r.must(200, "GET", path, nil); got["userPrincipalName"] != "" || got["groupTag"] != "NL" {
		t.Errorf("%v", got)
	}
	for _, bad := range []row{{"displayName": "123"}, {"displayName": "a b"}, {"displayName": "abcdefghijklmnop"}, {"tag": "x"}, {"groupTag": 1}} {
		r.must(400, "POST", path+"/updateDeviceProperties", bad)
	}
	r.must(400, "POST", path+"/assignUserToDevice", row{})
	r.must(404, "POST", identityPath+"/"+noGUID+"/updateDeviceProperties", row{"groupTag": "x"})
	r.must(405, "PATCH", path, row{"groupTag": "x"})
	r.must(405, "POST", identityPath, row{"serialNumber": "x"})
}

func TestTagReachesEntraLater(t *testing.T) {
	r := newFixture(t, patient())
	seedDevices(r, 1)
	path := identityPath + "/" + r.state(contoso).Identities[0].ID
	r.must(204, "POST", path+"/updateDeviceProperties", row{"groupTag": "ONE"})
	r.must(204, "POST", path+"/updateDeviceProperties", row{"groupTag": "TWO"})
	tags := func() string { return strings.Join(r.state(contoso).Devices[0].PhysicalIDs[2:], " ") }
	if got := tags(); got != "" {
		t.Errorf("at once: %q", got)
	}
	r.s.Advance(time.Minute)
	if got := tags(); got != "[OrderId]:TWO" {
		t.Errorf("later: %q", got)
	}
}

// Of two changes in a row the later one stays, in whatever order they arrive.
func TestLastTagWins(t *testing.T) {
	o := patient()
	o.Delays.Tag = seconds(10, 90)
	r := newFixture(t, o)
	seedDevices(r, 12)
	for _, d := range r.state(contoso).Identities {
		for _, tag := range []string{"ONE", "TWO"} {
			r.must(204, "POST", identityPath+"/"+d.ID+"/updateDeviceProperties", row{"groupTag": tag})
		}
	}
	r.s.Advance(90 * time.Second)
	for _, e := range r.state(contoso).Devices {
		if e.PhysicalIDs[2] != "[OrderId]:TWO" {
			t.Errorf("%v", e.PhysicalIDs)
		}
	}
}

func TestTagAfterSync(t *testing.T) {
	o := patient()
	o.Quirks.TagAfterSync = true
	r := newFixture(t, o)
	seedDevices(r, 1)
	path := identityPath + "/" + r.state(contoso).Identities[0].ID
	r.must(204, "POST", path+"/updateDeviceProperties", row{"groupTag": "NL"})
	r.s.Advance(time.Hour - time.Minute)
	if got := r.must(200, "GET", path, nil); got["groupTag"] != "" {
		t.Errorf("without a sync: %v", got["groupTag"])
	}
	r = r.as(contoso)
	r.must(204, "POST", "/beta/"+settings+"/sync", nil)
	r.s.Advance(20 * time.Second)
	if got := r.must(200, "GET", path, nil); got["groupTag"] != "NL" {
		t.Errorf("after a sync: %v", got["groupTag"])
	}
}

func TestConditionNotMet(t *testing.T) {
	o := patient()
	o.Quirks.ConditionNotMet = 0.5
	r := newFixture(t, o)
	seedDevices(r, 1)
	path := identityPath + "/" + r.state(contoso).Identities[0].ID + "/updateDeviceProperties"
	counts := map[int]int{}
	for range 60 {
		counts[r.do("POST", path, row{"groupTag": "x"}).status]++
	}
	if counts[412] < 10 || counts[204] < 10 || len(counts) != 2 {
		t.Errorf("%v", counts)
	}
}

func TestDeleteIdentity(t *testing.T) {
	r := newFixture(t, patient())
	r.register("one", pc("GO"))
	if _, err := r.s.SeedGroup(contoso, "All", `(device.devicePhysicalIds -any (_ -startsWith "[ZTDid]"))`); err != nil {
		t.Fatal(err)
	}
	if _, err := r.s.SeedRegistered(contoso, Registered{Hardware: Hardware{Serial: "ENROLLED"}, ManagedDeviceID: fabrikam}); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, d := range r.state(contoso).Identities {
		ids[d.Serial] = identityPath + "/" + d.ID
	}
	r.must(400, "DELETE", ids["ENROLLED"], nil)
	r.must(204, "DELETE", ids["GO"], nil)
	r.must(200, "GET", ids["GO"], nil)
	elsewhere := r.as(fabrikam)
	elsewhere.register("two", pc("GO"))
	if got := elsewhere.outcomes("two")["GO"]; got != "error ZtdDeviceAssignedToOtherTenant" {
		t.Errorf("while it is leaving: %s", got)
	}
	r.s.Advance(30 * time.Minute)
	r.must(404, "GET", ids["GO"], nil)
	if st := r.state(contoso); len(st.Devices) != 1 || len(st.Groups[0].Members) != 1 {
		t.Errorf("the Entra object stays: %v %v", st.Devices, st.Groups)
	}
	elsewhere.register("three", pc("GO"))
	if got := elsewhere.outcomes("three")["GO"]; got != "complete None" {
		t.Errorf("after it left: %s", got)
	}
}

func TestSync(t *testing.T) {
	r := newFixture(t, patient())
	sync := "/beta/" + settings + "/sync"
	status := func() any { return r.must(200, "GET", "/beta/"+settings, nil)["syncStatus"] }
	if status() != "unknown" {
		t.Error(status())
	}
	r.must(204, "POST", sync, nil)
	r.must(409, "POST", sync, nil)
	if status() != "inProgress" {
		t.Error(status())
	}
	r.s.Advance(20 * time.Second)
	if status() != "completed" {
		t.Error(status())
	}
	if a := r.do("POST", sync, nil); a.status != 429 || a.header.Get("Retry-After") != "580" {
		t.Errorf("%d %v", a.status, a.header)
	}
	r.as(fabrikam).must(204, "POST", sync, nil)
	r.s.Advance(580 * time.Second)
	r.must(204, "POST", sync, nil)
}

// What one tenant does is not seen by another.
func TestIsolation(t *testing.T) {
	r := newFixture(t, patient())
	r.register("iso", pc("MINE"))
	st := r.state(contoso)
	other := r.as(fabrikam)
	for _, path := range []string{
		importedPath + "/" + st.Imported[0].ID, identityPath + "/" + st.Identities[0].ID, "/v1.0/devices/" + st.Devices[0].ID,
	} {
		r.must(200, "GET", path, nil)
		other.must(404, "GET", path, nil)
	}
	for _, list := range []string{importedPath, identityPath, "/v1.0/devices"} {
		if got := other.all(list); len(got) != 0 {
			t.Errorf("%s: %v", list, got)
		}
	}
}

func TestUnknownPlaces(t *testing.T) {
	r := newFixture(t, patient())
	for target, want := range map[string]int{
		"GET /": 404, "GET /v2.0/devices": 404, "GET /v1.0": 404, "GET /v1.0/users": 404,
		"GET /v1.0/" + imported + "/x/y": 404,
		"PUT /v1.0/devices":              405, "PATCH " + importedPath + "/x": 405,
		"GET /" + contoso + "/oauth2/v2.0/token": 405,
	} {
		method, path, _ := strings.Cut(target, " ")
		if a := r.do(method, path, nil); a.status != want {
			t.Errorf("%s: %d, want %d", target, a.status, want)
		}
	}
	for _, req := range r.s.Log() {
		if req.Path == "/v1.0/users" && (req.Status != 404 || req.Operation != "") {
			t.Errorf("recorded as %+v", req)
		}
	}
}
