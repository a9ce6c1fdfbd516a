package simulator

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// contract is the machine-readable description of both versions.
type contract map[string]routers.Router

// loadContract finds ../shared/contract beside the repository; without it the
// test is skipped, and says so.
func loadContract(t *testing.T) contract {
	t.Helper()
	dir := contractFolder(t)
	return contract{
		"v1.0": loadRouter(t, filepath.Join(dir, "graph-subset.openapi.yaml")),
		"beta": loadRouter(t, filepath.Join(dir, "graph-subset.beta.openapi.yaml")),
	}
}

func loadRouter(t *testing.T, file string) routers.Router {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The token path has a server of its own, which this router overlooks.
	doc.Servers = append(doc.Servers, &openapi3.Server{URL: "https://login.microsoftonline.com"})
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// checker is a transport that holds every exchange against the contract.
type checker struct {
	*testing.T
	contract contract
	next     http.RoundTripper
	checked  map[string]bool
}

func (k *checker) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := k.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(content))
	k.check(r, body, resp, content)
	return resp, nil
}

func (k *checker) check(r *http.Request, body []byte, resp *http.Response, content []byte) {
	k.Helper()
	ctx := k.Context()
	real := *r.URL
	real.Scheme = "https"
	real.Host = "graph.microsoft.com"
	version := strings.SplitN(strings.Trim(real.Path, "/"), "/", 2)[0]
	if strings.HasSuffix(real.Path, "/token") {
		real.Host = "login.microsoftonline.com"
		version = "v1.0"
	}
	sent, err := http.NewRequestWithContext(ctx, r.Method, real.String(), bytes.NewReader(body))
	if err != nil {
		k.Fatal(err)
	}
	sent.Header = r.Header
	route, params, err := k.contract[version].FindRoute(sent)
	if err != nil {
		k.Errorf("%s %s is not in the contract: %v", r.Method, r.URL.Path, err)
		return
	}
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
		ExcludeRequestQueryParams: true, // $skiptoken and bracketed $filter values are not described
	}
	input := &openapi3filter.RequestValidationInput{Request: sent, PathParams: params, Route: route, Options: options}
	if resp.StatusCode < 400 {
		if err := openapi3filter.ValidateRequest(ctx, input); err != nil {
			k.Errorf("accepted a request against the contract: %s %s: %v", r.Method, r.URL.Path, err)
		}
	}
	if strings.HasSuffix(r.URL.Path, "$count") {
		return // described as an object, answered as text
	}
	if err := openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header,
		Body: io.NopCloser(bytes.NewReader(content)), Options: options,
	}); err != nil {
		k.Errorf("%s %s answered %d against the contract: %v\n%s", r.Method, r.URL.Path, resp.StatusCode, err, content)
	}
	k.checked[route.Operation.OperationID] = true
}

// A scripted session through every operation, good and bad, in both versions.
func TestContract(t *testing.T) {
	k := &checker{T: t, contract: loadContract(t), checked: map[string]bool{}}
	r := newFixture(t, patient())
	k.next = r.s.Transport()
	r.through = k
	r = r.as(contoso)
	for _, version := range []string{"v1.0", "beta"} {
		contractSession(r, "/"+version)
	}
	betaSession(r)
	for _, want := range []string{
		"clientCredentialsToken", "deviceManagement.importedWindowsAutopilotDeviceIdentity_import", "group_ListMember",
		"deviceManagement.windowsAutopilotDeviceIdentity_updateDeviceProperty", "device_ListDevice", "batch",
	} {
		if !k.checked[want] {
			t.Errorf("the session did not exercise %s", want)
		}
	}
	if len(k.checked) < 30 {
		t.Errorf("only %d operations were exercised", len(k.checked))
	}
}

// contractSession is what both versions have.
func contractSession(r *fixture, v string) {
	r.Helper()
	m := pc("C" + strings.TrimPrefix(v, "/"))
	other := pc("D" + strings.TrimPrefix(v, "/"))
	group := r.must(201, "POST", v+"/groups", row{
		"displayName": "AP", "mailEnabled": false, "mailNickname": "ap", "securityEnabled": true,
		"groupTypes":     []string{"DynamicMembership"},
		"membershipRule": `(device.devicePhysicalIds -any (_ -startsWith "[ZTDid]"))`, "membershipRuleProcessingState": "On",
	})["id"].(string)
	r.must(200, "POST", v+"/"+imported+"/import", importBody(deviceRow(m, "imp"+v)))
	one := deviceRow(other, "")
	delete(one, "importId")
	r.must(201, "POST", v+"/"+imported, one)
	r.must(400, "POST", v+"/"+imported, row{"serialNumber": "x", "hardwareIdentifier": "AB"})
	r.must(400, "POST", v+"/"+imported, row{"orderIdentifier": "x"})
	r.must(200, "GET", v+"/"+imported+"?$filter="+url.QueryEscape("importId eq 'imp"+v+"'"), nil)
	r.s.Advance(20 * time.Minute)
	records := r.all(v + "/" + imported + "?$top=1")
	record := v + "/" + imported + "/" + records[0]["id"].(string)
	r.must(200, "GET", record, nil)
	r.must(204, "DELETE", record, nil)
	r.must(404, "GET", record, nil)
	r.do("GET", v+"/"+imported+"/$count", nil)
	r.do("GET", v+"/"+identities+"/$count", nil)
	r.must(400, "GET", v+"/"+identities+"?$filter="+url.QueryEscape("serialNumber eq 'x'"), nil)
	r.must(400, "GET", v+"/"+identities+"?$select=id,nothing", nil)
	r.must(400, "GET", v+"/devices?$select=nothing", nil)
	id := r.all(v + "/" + identities + "?$filter=" + url.QueryEscape("contains(serialNumber,'"+m.serial+"')"))[0]["id"].(string)
	identity := v + "/" + identities + "/" + id
	r.must(200, "GET", identity, nil)
	r.must(204, "POST", identity+"/updateDeviceProperties", row{"groupTag": "NL"})
	r.must(
		204,
		"POST",
		identity+"/assignUserToDevice",
		row{"userPrincipalName": "a@contoso.example", "addressableUserName": "A"},
	)
	r.must(204, "POST", identity+"/unassignUserFromDevice", nil)
	devices := r.all(
		v+"/devices?$count=true&$filter="+url.QueryEscape("physicalIds/any(p:startswith(p,'[ZTDID]'))"),
		"ConsistencyLevel",
		"eventual",
	)
	r.must(200, "GET", v+"/devices/"+devices[0]["id"].(string), nil)
	r.must(404, "GET", v+"/devices/"+noGUID, nil)
	r.all(v + "/groups?$filter=" + url.QueryEscape("displayName eq 'AP'"))
	r.must(200, "GET", v+"/groups/"+group, nil)
	r.all(v + "/groups/" + group + "/members?$top=1")
	r.must(204, "PATCH", v+"/groups/"+group, row{"membershipRuleProcessingState": "Paused"})
	r.must(
		200,
		"POST",
		v+"/$batch",
		row{"requests": []row{{"id": "1", "method": "GET", "url": "/" + identities + "/" + id}}},
	)
	r.must(
		400,
		"POST",
		v+"/$batch",
		row{"requests": []row{{"id": "1", "method": "GET", "url": "x"}, {"id": "1", "method": "GET", "url": "x"}}},
	)
	r.must(204, "DELETE", v+"/groups/"+group, nil)
	r.must(204, "DELETE", identity, nil)
	r.tokenRequest(
		contoso,
		url.Values{
			"client_id":     {clientID},
			"client_secret": {"wrong"},
			"grant_type":    {"client_credentials"},
			"scope":         {graphScope},
		},
	)
}

// betaSession is what v1.0 does not have.
func betaSession(r *fixture) {
	r.Helper()
	r.register("beta", pc("BETA"))
	id := r.all("/beta/" + identities + "?$expand=deploymentProfile&$filter=" + url.QueryEscape("contains(serialNumber,'BETA')"))[0]["id"].(string)
	groupID, err := r.s.SeedGroup(contoso, "All", `(device.devicePhysicalIds -any (_ -startsWith "[ZTDid]"))`)
	if err != nil {
		r.Fatal(err)
	}
	p := r.must(201, "POST", "/beta/"+profiles, row{
		"@odata.type": "#" + profileType, "displayName": "P", "language": "os-default",
		"outOfBoxExperienceSettings": row{"hidePrivacySettings": true, "userType": "standard"},
	})["id"].(string)
	path := "/beta/" + profiles + "/" + p
	assigned := r.must(
		201,
		"POST",
		path+"/assignments",
		row{"target": row{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": groupID}},
	)
	r.s.Advance(time.Hour)
	r = r.as(contoso)
	r.all("/beta/" + profiles)
	r.must(200, "GET", path, nil)
	r.all(path + "/assignments")
	r.must(200, "GET", path+"/assignments/"+assigned["id"].(string), nil)
	if rows := r.all(path + "/assignedDevices"); len(rows) == 0 {
		r.Error("no assigned devices")
	}
	r.must(200, "GET", "/beta/"+identities+"/"+id+"/deploymentProfile", nil)
	r.must(200, "GET", "/beta/"+identities+"/"+id+"/intendedDeploymentProfile", nil)
	r.must(204, "POST", "/beta/"+identities+"/"+id+"/allowNextEnrollment", nil)
	entra := r.all("/beta/groups/" + groupID + "/members")[0]["id"].(string)
	r.must(
		200,
		"POST",
		"/beta/groups/evaluateDynamicMembership",
		row{"memberId": entra, "membershipRule": `(device.devicePhysicalIds -any _ -eq "[OrderID]:KIOSK")`},
	)
	r.must(200, "POST", "/beta/groups/"+groupID+"/evaluateDynamicMembership", row{"memberId": entra})
	r.must(200, "GET", "/beta/groups/"+groupID, nil)
	r.must(200, "GET", "/beta/"+settings, nil)
	r.must(204, "POST", "/beta/"+settings+"/sync", nil)
	r.must(409, "POST", "/beta/"+settings+"/sync", nil)
	r.s.Advance(time.Minute)
	r.must(429, "POST", "/beta/"+settings+"/sync", nil)
	r.must(200, "GET", "/beta/"+settings, nil)
	r.must(400, "DELETE", path, nil)
	r.must(204, "DELETE", path+"/assignments/"+assigned["id"].(string), nil)
	r.must(204, "DELETE", path, nil)
}
