package simulator

import (
	"net/url"
	"testing"
	"time"
)

// The way of one device, seen by a client: submitted, registered, tagged,
// grouped, ready; and nothing before its time.
func TestWayOfADevice(t *testing.T) {
	r := newFixture(t, patient())
	groupID, err := r.s.SeedGroup(contoso, "AP - KIOSK", `(device.devicePhysicalIds -any (_ -eq "[OrderID]:KIOSK"))`)
	if err != nil {
		t.Fatal(err)
	}
	profileID, err := r.s.SeedProfile(contoso, "Kiosk profile", groupID)
	if err != nil {
		t.Fatal(err)
	}
	first := r.must(200, "POST", importPath, importBody(deviceRow(pc("A-1"), "imp-1")))["value"].([]any)[0].(row)
	if st := first["state"].(row); st["deviceImportStatus"] != "unknown" || first["hardwareIdentifier"] != nil {
		t.Fatalf("first answer: %v", first)
	}
	if got := r.outcomes("imp-1")["A-1"]; got != "unknown" {
		t.Fatalf("at once: %q", got)
	}
	r.s.Advance(3 * time.Minute)
	if got := r.outcomes("imp-1")["A-1"]; got != "complete None" {
		t.Fatalf("after the import: %q", got)
	}
	r.s.Advance(time.Minute)
	found := r.all(identityPath + "?$filter=" + url.QueryEscape("contains(serialNumber,'A-1')"))
	if len(found) != 1 || found[0]["groupTag"] != "KIOSK" {
		t.Fatalf("identity: %v", found)
	}
	if _, hasBeta := found[0]["deploymentProfileAssignmentStatus"]; hasBeta {
		t.Error("v1.0 shows a beta property")
	}
	entra := r.all(
		"/v1.0/devices?$filter=" + url.QueryEscape(
			"deviceId eq '"+found[0]["azureActiveDirectoryDeviceId"].(string)+"'",
		),
	)
	if len(entra) != 1 {
		t.Fatalf("entra: %v", entra)
	}
	if members := r.all("/v1.0/groups/" + groupID + "/members"); len(members) != 0 {
		t.Errorf("a member before its time: %v", members)
	}
	r.s.Advance(13 * time.Minute)
	members := r.all("/v1.0/groups/" + groupID + "/members")
	if len(members) != 1 || members[0]["id"] != entra[0]["id"] ||
		members[0]["@odata.type"] != "#microsoft.graph.device" {
		t.Fatalf("members: %v", members)
	}
	status := func() row {
		return r.must(200, "GET", "/beta/"+identities+"/"+found[0]["id"].(string)+"?$expand=deploymentProfile", nil)
	}
	if got := status()["deploymentProfileAssignmentStatus"]; got != "pending" && got != "notAssigned" {
		t.Errorf("profile at once: %v", got)
	}
	r.s.Advance(15 * time.Minute)
	ready := status()
	if ready["deploymentProfileAssignmentStatus"] != "assignedInSync" ||
		ready["deploymentProfileAssignedDateTime"] == noDate ||
		ready["deploymentProfile"].(row)["id"] != profileID {
		t.Errorf("not ready: %v", ready)
	}
	if rep := BlindReposts(r.s.Log()); len(rep) != 0 {
		t.Errorf("blind reposts: %v", rep)
	}
}
