package simulator

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestTokenRefusals(t *testing.T) {
	r := newFixture(t, patient())
	good := url.Values{
		"client_id":     {clientID},
		"client_secret": {secret},
		"grant_type":    {"client_credentials"},
		"scope":         {graphScope},
	}
	with := func(name, value string) url.Values {
		v := url.Values{}
		for k := range good {
			v.Set(k, good.Get(k))
		}
		v.Set(name, value)
		return v
	}
	assertion := with("client_secret", "")
	assertion.Set("client_assertion_type", assertionType)
	assertion.Set("client_assertion", "a.b.c")
	badAssertion := with("client_secret", "")
	badAssertion.Set("client_assertion_type", assertionType)
	badAssertion.Set("client_assertion", "not a jwt")
	for _, tc := range []struct {
		name, tenant string
		form         url.Values
		status       int
		code, aadsts string
	}{
		{"good", contoso, good, 200, "", ""},
		{"upper case ids", strings.ToUpper(contoso), with("client_id", strings.ToUpper(clientID)), 200, "", ""},
		{"assertion", contoso, assertion, 200, "", ""},
		{"malformed assertion", contoso, badAssertion, 401, "invalid_client", "AADSTS50027"},
		{"wrong secret", contoso, with("client_secret", "x"), 401, "invalid_client", "AADSTS7000215"},
		{"no secret", contoso, with("client_secret", ""), 401, "invalid_client", "AADSTS7000218"},
		{"unknown app", contoso, with("client_id", fabrikam), 400, "unauthorized_client", "AADSTS700016"},
		{"no app", contoso, with("client_id", ""), 400, "invalid_request", "AADSTS900144"},
		{"unknown tenant", "nobody", good, 400, "invalid_request", "AADSTS90002"},
		{"grant", contoso, with("grant_type", "password"), 400, "unsupported_grant_type", "AADSTS70003"},
		{"scope", contoso, with("scope", "User.Read"), 400, "invalid_scope", "AADSTS1002012"},
		{"scope of two resources", contoso, with("scope", graphScope+" https://vault.azure.net/.default"), 400, "invalid_scope", "AADSTS1002012"},
		{"scope with those of OpenID", contoso, with("scope", "openid offline_access profile "+graphScope), 200, "", ""},
		{"scope of OpenID only", contoso, with("scope", "openid profile"), 400, "invalid_scope", "AADSTS1002012"},
		{"no scope", contoso, with("scope", ""), 400, "invalid_request", "AADSTS900144"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := r.tokenRequest(tc.tenant, tc.form)
			code, _ := a.body["error"].(string)
			description, _ := a.body["error_description"].(string)
			if a.status != tc.status || code != tc.code || !strings.HasPrefix(description, tc.aadsts) {
				t.Errorf("got %d %s %s", a.status, code, description)
			}
		})
	}
}

func TestTokenExpires(t *testing.T) {
	r := newFixture(t, patient())
	r.s.Advance(3598 * time.Second)
	r.must(200, "GET", importedPath, nil)
	r.s.Advance(2 * time.Second)
	if a := r.do("GET", importedPath, nil); a.status != 401 || a.code() != "InvalidAuthenticationToken" {
		t.Errorf("after its life: %d %s", a.status, a.code())
	}
	r.as(contoso).must(200, "GET", importedPath, nil)
}

func TestTokenKinds(t *testing.T) {
	r := newFixture(t, patient())
	for name, token := range map[string]string{"none": "", "made up": "eyJ0"} {
		other := *r
		other.token = token
		if a := other.do("GET", importedPath, nil); a.status != 401 || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
	}
	r.s.RevokeTokens(contoso)
	if a := r.do("GET", importedPath, nil); a.status != 401 {
		t.Errorf("revoked: %d", a.status)
	}
}

// 401 really stops: nothing is applied, and the token stays refused until a
// new one is fetched.
func TestUnauthorizedStops(t *testing.T) {
	r := newFixture(t, patient())
	r.fault(Fault{Operation: "imported.import", Effect: Reply, Status: 401})
	for range 3 {
		if a := r.do("POST", importPath, importBody(deviceRow(pc("A"), "i"))); a.status != 401 {
			t.Fatalf("got %d", a.status)
		}
	}
	if a := r.do("GET", importedPath, nil); a.status != 401 {
		t.Errorf("the refused token still reads: %d", a.status)
	}
	r.s.Advance(time.Hour)
	if st := r.state(contoso); len(st.Imported) != 0 || len(st.Identities) != 0 {
		t.Errorf("something was applied: %+v", st)
	}
	for _, req := range r.s.Log("imported.import") {
		if req.Applied || req.Status != 401 {
			t.Errorf("log: %+v", req)
		}
	}
	r.as(contoso).must(200, "POST", importPath, importBody(deviceRow(pc("A"), "i")))
}

func TestPermissions(t *testing.T) {
	r := newFixture(t, patient())
	r.s.AddTenant(Tenant{ID: contoso, ClientID: clientID, ClientSecret: secret, Permissions: []string{
		"DeviceManagementServiceConfig.Read.All", "GroupMember.Read.All",
	}})
	r.must(200, "GET", identityPath, nil)
	if a := r.do("POST", importPath, importBody(deviceRow(pc("A"), "i"))); a.status != 403 || a.code() != "Forbidden" {
		t.Errorf("write without permission: %d %s", a.status, a.code())
	}
	if a := r.do("GET", "/v1.0/devices", nil); a.status != 403 || a.code() != "Authorization_RequestDenied" {
		t.Errorf("devices without permission: %d %s", a.status, a.code())
	}
}

func TestBasicClientAuthentication(t *testing.T) {
	r := newFixture(t, patient())
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {graphScope}}
	for password, want := range map[string]int{secret: 200, "wrong": 401} {
		req, err := http.NewRequestWithContext(
			t.Context(),
			"POST",
			"http://sim/"+contoso+"/oauth2/v2.0/token",
			strings.NewReader(form.Encode()),
		)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(clientID, password)
		if a := r.send(req); a.status != want {
			t.Errorf("%d %v, want %d", a.status, a.body, want)
		}
	}
}
