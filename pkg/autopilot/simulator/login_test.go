package simulator

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiscovery(t *testing.T) {
	r := newFixture(t, patient())
	document := func(tenant string) answer {
		return r.do("GET", "/"+tenant+"/v2.0/.well-known/openid-configuration", nil)
	}
	good := document(strings.ToUpper(contoso))
	if good.status != 200 || good.body["issuer"] != "http://sim/"+contoso+"/v2.0" {
		t.Errorf("%d %v", good.status, good.body)
	}
	a := document("nobody")
	if a.status != 400 || a.body["error"] != "invalid_tenant" ||
		!strings.HasPrefix(a.body["error_description"].(string), "AADSTS90002:") {
		t.Errorf("%d %v", a.status, a.body)
	}
	if a := r.do("POST", "/"+contoso+"/v2.0/.well-known/openid-configuration", nil); a.status != 405 {
		t.Errorf("%d %v", a.status, a.body)
	}
	instance := func(query string) answer { return r.do("GET", "/common/discovery/instance?"+query, nil) }
	authority := "&authorization_endpoint=" + url.QueryEscape("https://login.example:8443/"+contoso+"/oauth2/v2.0/authorize")
	a = instance("api-version=1.1" + authority)
	if a.body["tenant_discovery_endpoint"] != "https://login.example:8443/"+contoso+"/v2.0/.well-known/openid-configuration" {
		t.Errorf("%d %v", a.status, a.body)
	}
	for query, want := range map[string]string{
		strings.TrimPrefix(authority, "&"):                  "AADSTS900144",
		"api-version=1.1":                                   "AADSTS50049",
		"api-version=1.1&authorization_endpoint=login":      "AADSTS50049",
		"api-version=1.1&authorization_endpoint=https%3A//": "AADSTS50049",
	} {
		a := instance(query)
		if description, _ := a.body["error_description"].(string); a.status != 400 || !strings.HasPrefix(description, want+":") {
			t.Errorf("%s: %d %v", query, a.status, a.body)
		}
	}
	var operations []string
	for _, req := range r.s.Log("openid.configuration", "instance.discovery") {
		operations = append(operations, req.Operation+" "+req.Tenant)
	}
	if diff := cmp.Diff([]string{"openid.configuration " + contoso, "openid.configuration nobody"}, operations[:2]); diff != "" || len(operations) != 8 {
		t.Errorf("%s %v", diff, operations)
	}
}
