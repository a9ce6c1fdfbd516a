package simulator

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestSelect(t *testing.T) {
	r := newFixture(t, patient())
	r.register("s", pc("A"))
	for _, list := range []string{importedPath, identityPath, "/beta/" + identities} {
		if got := r.all(list + "?$select=id,serialNumber"); len(got) != 1 || len(got[0]) != 2 || got[0]["id"] == nil {
			t.Errorf("%s: %v", list, got)
		}
	}
	id := r.all(identityPath)[0]["id"].(string)
	got := r.must(200, "GET", "/beta/"+identities+"/"+id+"?$select=id&$expand=deploymentProfile", nil)
	if got["id"] != id || got["serialNumber"] != nil {
		t.Errorf("%v", got)
	}
}

// A profile that is expanded is shown whatever is selected beside it.
func TestExpandBesideSelect(t *testing.T) {
	r := newFixture(t, patient())
	if _, err := r.s.SeedProfile(contoso, "Kiosk", "*"); err != nil {
		t.Fatal(err)
	}
	r.register("s", pc("A"))
	r.s.Advance(40 * 60e9)
	got := r.all("/beta/" + identities + "?$select=id&$expand=deploymentProfile")
	if profile, _ := got[0]["deploymentProfile"].(row); profile["displayName"] != "Kiosk" || len(got[0]) != 2 {
		t.Errorf("%v", got)
	}
}

func TestUnknownSelect(t *testing.T) {
	r := newFixture(t, patient())
	r.register("s", pc("A"))
	id := r.all(identityPath)[0]["id"].(string)
	device := r.all("/v1.0/devices")[0]["id"].(string)
	for _, tc := range []struct{ path, name, entity string }{
		{importedPath + "?$select=id,hardwareHash", "hardwareHash", importedType},
		{identityPath + "?$select=SerialNumber", "SerialNumber", identityType},
		{identityPath + "/" + id + "?$select=deploymentProfileAssignmentStatus", "deploymentProfileAssignmentStatus", identityType},
		{"/v1.0/devices?$select=serialNumber", "serialNumber", deviceType},
		{"/v1.0/devices/" + device + "?$select=model", "model", deviceType},
		{"/v1.0/groups?$select=membershipRuleProcessingStatus", "membershipRuleProcessingStatus", groupType},
		{"/beta/" + identities + "?$expand=profile", "profile", identityType},
		{"/beta/" + identities + "/" + id + "?$expand=intendedProfile", "intendedProfile", identityType},
		{"/beta/" + profiles + "?$select=name", "name", profileType},
		{"/beta/" + settings + "?$select=status", "status", settingsType},
	} {
		a := r.do("GET", tc.path, nil)
		message, _ := a.body["error"].(row)["message"].(string)
		want := "Parsing OData Select and Expand failed: Could not find a property named '" + tc.name + "' on type '" + tc.entity + "'."
		if a.status != 400 || a.code() != "BadRequest" || message != want {
			t.Errorf("%s: %d %s %s", tc.path, a.status, a.code(), message)
		}
	}
	r.must(200, "GET", "/beta/"+identities+"/"+id+"?$select=deploymentProfileAssignmentStatus", nil)
	r.must(200, "GET", "/beta/devices/"+device+"?$select=model,physicalIds", nil)
	r.must(400, "GET", identityPath+"/"+id+"?$filter="+url.QueryEscape("contains(serialNumber,'A')"), nil)
	r.must(404, "GET", identityPath+"/"+noGUID+"?$select=id", nil)
}

// What Microsoft's description gives a type can be selected here.
func TestPropertiesOfTheContract(t *testing.T) {
	dir := contractFolder(t)
	r := newFixture(t, patient())
	for version, name := range map[string]string{
		"v1.0": "graph-subset.openapi.yaml", "beta": "graph-subset.beta.openapi.yaml",
	} {
		doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		for _, route := range r.s.routes {
			entity := route.entity
			if entity == profileType {
				entity = "microsoft.graph.windowsAutopilotDeploymentProfile"
			}
			schema := doc.Components.Schemas[entity]
			if schema == nil || route.beta && version != "beta" {
				continue
			}
			c := &call{version: version, route: &route}
			have := r.s.properties(c)
			for _, want := range propertiesOf(schema) {
				_, has := have[want]
				// Navigation that nothing here leads to.
				if want != "assignments" && want != "domainJoinConfiguration" && !has && !strings.HasPrefix(want, "@") &&
					!strings.Contains(strings.Join(c.navigation(), " "), want) {
					t.Errorf("%s: %s has no %s", version, entity, want)
				}
				checked++
			}
		}
		if checked < 100 {
			t.Errorf("%s: only %d properties checked", version, checked)
		}
	}
}

func propertiesOf(schema *openapi3.SchemaRef) (names []string) {
	for name := range schema.Value.Properties {
		names = append(names, name)
	}
	for _, part := range schema.Value.AllOf {
		names = append(names, propertiesOf(part)...)
	}
	return names
}

func TestEnums(t *testing.T) {
	r := newFixture(t, patient())
	state := func(status any) row {
		d := deviceRow(pc("A"), "i")
		d["state"] = row{"deviceImportStatus": status, "deviceErrorCode": 0}
		return importBody(d)
	}
	profile := func(member string, value any) row { return row{"displayName": "P", member: value} }
	group := func(member string, value any) row {
		g := row{"displayName": "G", "mailEnabled": false, "mailNickname": "g", "securityEnabled": true}
		g[member] = value
		return g
	}
	oobe := "outOfBoxExperienceSettings"
	for _, tc := range []struct {
		status int
		path   string
		body   row
	}{
		{200, importPath, state("pending")},
		{200, importPath, state(nil)},
		{400, importPath, state("Pending")},
		{400, importPath, state("waiting")},
		{400, importPath, state(1)},
		{201, "/beta/" + profiles, profile("deviceType", "holoLens")},
		{400, "/beta/" + profiles, profile("deviceType", "windowsPC")},
		{400, "/beta/" + profiles, profile("@odata.type", "#microsoft.graph.windowsAutopilotDeploymentProfile")},
		{201, "/beta/" + profiles, profile("@odata.type", "#"+hybridProfileType)},
		{201, "/beta/" + profiles, profile(oobe, row{"userType": "standard", "deviceUsageType": "shared"})},
		{201, "/beta/" + profiles, profile(oobe, nil)},
		{400, "/beta/" + profiles, profile(oobe, row{"userType": "user"})},
		{400, "/beta/" + profiles, profile(oobe, row{"deviceUsageType": "kiosk"})},
		{400, "/beta/" + profiles, profile(oobe, row{"hideEula": true})},
		{400, "/beta/" + profiles, profile("outOfBoxExperienceSetting", row{"hideEULA": true})},
		{201, "/v1.0/groups", group("visibility", "Private")},
		{400, "/v1.0/groups", group("visibility", "Secret")},
		{400, "/v1.0/groups", group("groupTypes", []string{"Dynamic"})},
	} {
		a := r.do("POST", tc.path, tc.body)
		if a.status != tc.status || a.status == 400 && !strings.HasSuffix(a.code(), "BadRequest") {
			t.Errorf("%s %v: %d %s, want %d", tc.path, tc.body, a.status, a.code(), tc.status)
		}
	}
}

func contractFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			break
		}
	}
	dir = filepath.Join(filepath.Dir(dir), "shared", "contract")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: NOT CHECKED against the Graph contract: %v", err)
	}
	return dir
}
