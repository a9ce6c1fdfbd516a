package simulator

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// manager talks to the management listener.
type manager struct {
	*testing.T
	h http.Handler
}

func (m manager) do(want int, method, target, body string) any {
	m.Helper()
	w := httptest.NewRecorder()
	m.h.ServeHTTP(w, httptest.NewRequestWithContext(m.Context(), method, target, strings.NewReader(body)))
	if w.Code != want {
		m.Fatalf("%s %s: want %d, got %d %s", method, target, want, w.Code, w.Body)
	}
	var out any
	if w.Body.Len() > 0 && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			m.Fatal(err)
		}
	}
	return out
}

func TestManagement(t *testing.T) {
	r := newFixture(t, patient())
	m := manager{t, r.s.Management()}
	m.do(200, "GET", "/healthz", "")
	m.do(204, "POST", "/tenants", `{"id":"new","clientId":"c","clientSecret":"s"}`)
	if got := m.do(200, "GET", "/tenants", ""); len(got.([]any)) != 3 {
		t.Errorf("tenants %v", got)
	}
	m.do(400, "POST", "/tenants", `{"id":"new"}`)
	m.do(
		200,
		"POST",
		"/faults",
		`{"operation":"imported.import","effect":"reply","status":429,"retryAfter":"7.5","nth":2}`,
	)
	m.do(400, "POST", "/faults", `{"effect":"reply"}`)
	m.do(400, "POST", "/faults", `{"efect":"reply"}`)
	r.must(200, "POST", importPath, importBody(deviceRow(pc("A"), "i")))
	r.must(429, "POST", importPath, importBody(deviceRow(pc("B"), "j")))
	if got := m.do(200, "GET", "/faults", ""); got.([]any)[0].(row)["met"] != 1.0 {
		t.Errorf("faults %v", got)
	}
	m.do(204, "DELETE", "/faults/1", "")
	m.do(400, "DELETE", "/faults/x", "")
	if got := m.do(200, "GET", "/faults", ""); len(got.([]any)) != 0 {
		t.Errorf("faults %v", got)
	}
	m.do(204, "DELETE", "/faults", "")
	for query, want := range map[string]int{
		"?operation=imported.import": 2, "?operation=imported.import&status=429": 1, "?serial=b": 1, "?importId=I": 1,
		"?tenant=" + fabrikam: 0, "?operation=token&operation=imported.import": 3, "?after=2": 1,
	} {
		if got := m.do(200, "GET", "/requests"+query, ""); len(got.([]any)) != want {
			t.Errorf("%s: %v", query, got)
		}
	}
	m.do(400, "GET", "/requests?after=x", "")
	if got := m.do(200, "GET", "/reposts", ""); len(got.([]any)) != 0 {
		t.Errorf("%v", got)
	}
	m.do(200, "POST", "/advance", `{"by":"10m"}`)
	m.do(400, "POST", "/advance", `{"by":"-10m"}`)
	m.do(400, "POST", "/advance", `{"by":"soon"}`)
	if got := m.do(200, "GET", "/state/"+contoso, "").(row); len(got["identities"].([]any)) != 1 {
		t.Errorf("%v", got)
	}
	m.do(404, "GET", "/state/nobody", "")
	m.do(204, "POST", "/approval/"+contoso+"?mode=writes", "")
	m.do(204, "POST", "/approve/"+contoso, "")
	m.do(400, "POST", "/approval/"+contoso+"?mode=x", "")
	m.do(204, "POST", "/revoke/"+contoso, "")
	r.must(401, "GET", importedPath, nil)
	if got := m.do(200, "GET", "/options", ""); !strings.Contains(
		strings.Join(texts(got), "\n"),
		"Delays.Import 30s to 3m0s",
	) {
		t.Errorf("%v", got)
	}
	m.do(204, "POST", "/reset", "")
	if got := m.do(200, "GET", "/tenants", ""); got != nil {
		t.Errorf("after a reset: %v", got)
	}
	m.do(405, "PUT", "/reset", "")
	m.do(404, "GET", "/nowhere", "")
}

func texts(list any) (out []string) {
	for _, v := range list.([]any) {
		out = append(out, v.(string))
	}
	return out
}

func TestSeedFile(t *testing.T) {
	s := New(patient())
	m := manager{t, s.Management()}
	seeds := `{
	  "tenants": [{"id": "t", "clientId": "c", "clientSecret": "s"}],
	  "ownedByOther": [{"serial": "FOREIGN"}],
	  "contents": [{
	    "tenant": "t", "approval": "deletes",
	    "groups": [{"name": "Kiosk", "rule": "(device.devicePhysicalIds -any (_ -eq \"[OrderID]:KIOSK\"))"}],
	    "profiles": [{"name": "P", "groups": ["Kiosk"]}, {"name": "Default", "groups": ["*"]}],
	    "registered": [{"serial": "R1", "manufacturer": "Contoso", "groupTag": "KIOSK"}]
	  }],
	  "faults": [{"effect": "hang", "operation": "devices.list"}]
	}`
	planted := m.do(200, "POST", "/seeds", seeds).(row)
	s.Advance(time.Hour)
	st, err := s.State("t")
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Groups) != 1 || len(st.Groups[0].Members) != 1 ||
		planted["groups"].(row)["t"].(row)["Kiosk"] != st.Groups[0].ID {
		t.Errorf("%+v %v", st.Groups, planted)
	}
	if d := st.Identities[0]; d.ProfileStatus != "assignedInSync" ||
		planted["profiles"].(row)["t"].(row)["P"] != d.ProfileID {
		t.Errorf("%+v", d)
	}
	if got := s.Plan(); len(got) != 1 {
		t.Errorf("%v", got)
	}
	for _, bad := range []string{
		`{"contents":[{"tenant":"nobody","groups":[{"name":"x","rule":"y"}]}]}`,
		`{"contents":[{"tenant":"t","groups":[{"name":"x","rule":"y"}]}]}`,
		`{"contents":[{"tenant":"t","profiles":[{"name":"x","groups":["nobody"]}]}]}`,
		`{"contents":[{"tenant":"t","registered":[{}]}]}`, `{"ownedByOther":[{"hash":"x"}]}`,
		`{"ownedByOther":[{"hash":"QUJD"}]}`,
		`{"content":[]}`, `{"faults":[{}]}`, `[`,
	} {
		w := httptest.NewRecorder()
		s.Management().
			ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/seeds", strings.NewReader(bad)))
		if w.Code < 400 {
			t.Errorf("accepted %s", bad)
		}
	}
}

func TestSeedsThatClash(t *testing.T) {
	r := newFixture(t, patient())
	hw := Hardware{Hash: makeHash(pc("A"))}
	if _, err := r.s.SeedRegistered(contoso, Registered{Hardware: hw}); err != nil {
		t.Fatal(err)
	}
	_, err := r.s.SeedRegistered(fabrikam, Registered{Hardware: hw})
	wantErr(t, err, ErrSeed)
	wantErr(t, r.s.SeedOwnedByOther(hw), ErrSeed)
	foreign := Hardware{Hash: makeHash(pc("B"))}
	if err := r.s.SeedOwnedByOther(foreign); err != nil {
		t.Fatal(err)
	}
	if err := r.s.ReleaseFromOther(foreign); err != nil {
		t.Fatal(err)
	}
	r.register("b", pc("B"))
	if diff := cmp.Diff(map[string]string{"B": "complete None"}, r.outcomes("b")); diff != "" {
		t.Error(diff)
	}
}
