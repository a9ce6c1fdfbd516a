package simulator

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func limited(l Limits) Options {
	o := patient()
	o.Limits = l
	return o
}

func TestWriteLimit(t *testing.T) {
	r := newFixture(t, limited(Limits{AppWrites: 60}))
	post := func() answer { return r.do("POST", importPath, importBody(deviceRow(pc("A"), "i"))) }
	for i := range 60 {
		if a := post(); a.status != 200 {
			t.Fatalf("write %d: %d", i, a.status)
		}
	}
	a := post()
	if a.status != 429 || a.code() != "TooManyRequests" {
		t.Fatalf("write 61: %d", a.status)
	}
	wait, err := strconv.ParseFloat(a.header.Get("Retry-After"), 64)
	if err != nil || wait <= 0 || wait > 20 || !strings.Contains(a.header.Get("Retry-After"), ".") {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	r.must(200, "GET", importedPath, nil)
	r.as(fabrikam).must(200, "POST", importPath, importBody(deviceRow(pc("B"), "i")))
	r.s.Advance(time.Duration(wait*1000+1) * time.Millisecond)
	if a := post(); a.status != 200 {
		t.Errorf("after the wait: %d %v", a.status, a.header)
	}
	if n := len(r.state(contoso).Imported); n != 61 {
		t.Errorf("%d records for 61 accepted writes", n)
	}
}

// Refused requests count: whoever does not wait waits longer.
func TestRefusedRequestsCount(t *testing.T) {
	r := newFixture(t, limited(Limits{AppRequests: 10}))
	for range 10 {
		r.must(200, "GET", importedPath, nil)
	}
	wait := func() float64 {
		w, err := strconv.ParseFloat(r.do("GET", importedPath, nil).header.Get("Retry-After"), 64)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	first := wait()
	second := wait()
	if second <= first {
		t.Errorf("%v then %v", first, second)
	}
	for range 1000 {
		r.must(429, "GET", importedPath, nil)
	}
	if last := wait(); last > 30 {
		t.Errorf("retrying at once must not be refused for ever: %v", last)
	}
}

// Two apps of one tenant have their own limit and share the tenant's.
func TestTenantLimit(t *testing.T) {
	r := newFixture(t, limited(Limits{AppRequests: 8, TenantRequests: 12}))
	r.s.AddTenant(Tenant{ID: contoso, ClientID: "second", ClientSecret: secret})
	other := *r
	other.token = r.s.tokenFor(contoso, "second")
	refused := 0
	for range 8 {
		r.must(200, "GET", importedPath, nil)
	}
	for range 8 {
		if other.do("GET", importedPath, nil).status == 429 {
			refused++
		}
	}
	if refused != 4 {
		t.Errorf("the second app was refused %d times", refused)
	}
}

// tokenFor gives a test a token of another app.
func (s *Server) tokenFor(tenantID, app string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	rep := s.grantToken(&call{now: s.progress()}, tenantID, app)
	return rep.value.(map[string]any)["access_token"].(string)
}

func TestDirectoryUnits(t *testing.T) {
	r := newFixture(t, limited(Limits{DirectoryUnits: 9, AppRequests: 1}))
	id, err := r.s.SeedGroup(contoso, "G", tagRule("x"))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // three units each
		r.must(200, "GET", "/v1.0/groups/"+id+"/members", nil)
	}
	a := r.do("GET", "/v1.0/devices", nil)
	if a.status != 429 || a.header.Get("x-ms-throttle-information") != "ResourceUnitLimitExceeded" {
		t.Errorf("%d %v", a.status, a.header)
	}
	r.must(200, "GET", importedPath, nil)
}

func TestNoRetryAfter(t *testing.T) {
	o := limited(Limits{AppRequests: 1})
	o.Quirks.NoRetryAfter = true
	r := newFixture(t, o)
	r.must(200, "GET", importedPath, nil)
	if a := r.do("GET", importedPath, nil); a.status != 429 || len(a.header.Values("Retry-After")) != 0 {
		t.Errorf("%d %v", a.status, a.header)
	}
}
