package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every effect, once without a socket and once over a real connection.
func TestEffects(t *testing.T) {
	for _, tc := range []struct {
		fault   Fault
		applied bool
		status  int // 0: no answer
		broken  bool
		code    string
		header  string
	}{
		{Fault{Effect: Reply, Status: 429, RetryAfter: "7.5"}, false, 429, false, "TooManyRequests", "7.5"},
		{Fault{Effect: Reply, Status: 429}, false, 429, false, "TooManyRequests", ""},
		{Fault{Effect: Reply, Status: 429, RetryAfter: "date:7s"}, false, 429, false, "TooManyRequests", "Sat, 01 Aug 2026 12:00:07 GMT"},
		{Fault{Effect: Reply, Status: 503, RetryAfter: "2"}, false, 503, false, "ServiceUnavailable", "2"},
		{Fault{Effect: Reply, Status: 500}, false, 500, false, "InternalServerError", ""},
		{Fault{Effect: Reply, Status: 403}, false, 403, false, "Forbidden", ""},
		{Fault{Effect: Reply, Status: 409, Code: "Busy", Message: "m"}, false, 409, false, "Busy", ""},
		{Fault{Effect: Page, Status: 502}, false, 502, false, "", ""},
		{Fault{Effect: ReplyAfter, Status: 504}, true, 504, false, "GatewayTimeout", ""},
		{Fault{Effect: ResetBefore}, false, 0, true, "", ""},
		{Fault{Effect: ResetAfter}, true, 0, true, "", ""},
		{Fault{Effect: Truncate}, true, 200, true, "", ""},
		{Fault{Effect: Garbage}, true, 200, true, "", ""},
	} {
		for _, socket := range []bool{false, true} {
			name := string(tc.fault.Effect) + " " + tc.code
			if socket {
				name += " over a socket"
			}
			t.Run(name, func(t *testing.T) {
				r := newFixture(t, patient())
				if socket {
					r.serve()
				}
				tc.fault.Operation = "imported.import"
				r.fault(tc.fault)
				a := r.do("POST", importPath, importBody(deviceRow(pc("F"), "f")))
				if a.status != tc.status || (a.err != nil) != tc.broken || a.code() != tc.code ||
					a.header.Get("Retry-After") != tc.header {
					t.Errorf("%d %v %v %v", a.status, a.err, a.body, a.header)
				}
				if applied := len(r.state(contoso).Imported) == 1; applied != tc.applied {
					t.Errorf("applied: %v", applied)
				}
				logged := r.s.Log("imported.import")[0]
				if logged.Applied != tc.applied || logged.Fault != string(tc.fault.Effect) ||
					logged.Dropped != (tc.broken && tc.fault.Effect != Garbage) || cmp.Diff(logged.Serials, []string{"F"}) != "" {
					t.Errorf("log: %+v", logged)
				}
				r.must(200, "POST", importPath, importBody(deviceRow(pc("G"), "g")))
			})
		}
	}
}

// serve puts a real listener between the fixture and the simulator.
func (r *fixture) serve() {
	r.Helper()
	server := httptest.NewServer(r.s.Handler())
	transport := &http.Transport{DisableKeepAlives: true}
	r.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	r.through = redirect{transport, strings.TrimPrefix(server.URL, "http://")}
}

// redirect sends requests for any host to one address.
type redirect struct {
	next http.RoundTripper
	host string
}

func (d redirect) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Host = d.host
	out.Host = "sim"
	return d.next.RoundTrip(out)
}

func TestHang(t *testing.T) {
	for _, socket := range []bool{false, true} {
		r := newFixture(t, patient())
		if socket {
			r.serve()
		}
		r.fault(Fault{Effect: Hang, Operation: "imported.list"})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		req, err := http.NewRequestWithContext(ctx, "GET", "http://sim"+importedPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+r.token)
		a := r.send(req)
		cancel()
		wantErr(t, a.err, context.DeadlineExceeded)
		r.must(200, "GET", importedPath, nil)
	}
}

func TestNthAndTimes(t *testing.T) {
	r := newFixture(t, patient())
	r.fault(Fault{Operation: "imported.list", Nth: 3, Times: 2, Effect: Reply, Status: 503})
	var got []int
	for range 6 {
		got = append(got, r.do("GET", importedPath, nil).status)
		r.must(200, "GET", identityPath, nil)
	}
	if diff := cmp.Diff([]int{200, 200, 503, 503, 200, 200}, got); diff != "" {
		t.Error(diff)
	}
	plan := r.s.Plan()
	if len(plan) != 1 || plan[0].Matched != 6 || plan[0].Met != 2 {
		t.Errorf("%+v", plan)
	}
	r.s.RemoveFault(plan[0].ID)
	r.fault(Fault{Operation: "imported.list", Times: -1, Effect: Reply, Status: 500, Tenant: fabrikam})
	r.must(200, "GET", importedPath, nil)
	other := r.as(fabrikam)
	for range 4 {
		other.must(500, "GET", importedPath, nil)
	}
	r.s.RemoveFault(0)
	other.must(200, "GET", importedPath, nil)
}

func TestFaultsByContent(t *testing.T) {
	r := newFixture(t, patient())
	r.fault(Fault{Serial: "b", Effect: Reply, Status: 503, Name: "only B"})
	r.fault(Fault{ImportID: "X", Effect: Reply, Status: 500, Operation: "imported.list"})
	r.must(200, "POST", importPath, importBody(deviceRow(pc("A"), "x")))
	r.must(503, "POST", importPath, importBody(deviceRow(pc("A2"), "x"), deviceRow(pc("B"), "x")))
	r.must(200, "GET", importedPath+"?$filter=importId%20eq%20'y'", nil)
	r.must(500, "GET", importedPath+"?$filter=importId%20eq%20'x'", nil)
	if got := r.s.Log("imported.import")[1]; got.Fault != "only B" {
		t.Errorf("%+v", got)
	}
}

// Serial X fails with 802 after two pending polls.
func TestPlannedOutcome(t *testing.T) {
	r := newFixture(t, patient())
	r.fault(Fault{Serial: "X", Effect: Import, Outcome: &Outcome{
		Code: 802, Name: "InvalidZtdHardwareHash", Polls: 3, Waiting: []string{"unknown", "pending", "partial"},
	}})
	r.fault(Fault{Serial: "Y", Effect: Import, Outcome: &Outcome{Code: 640, Name: "StorageError"}})
	r.must(200, "POST", importPath, importBody(deviceRow(pc("X"), "p"), deviceRow(pc("Y"), "p")))
	r.s.Advance(10 * time.Minute)
	var got []string
	for range 4 {
		got = append(got, r.outcomes("p")["X"])
	}
	if diff := cmp.Diff([]string{"unknown", "pending", "partial", "error InvalidZtdHardwareHash"}, got); diff != "" {
		t.Error(diff)
	}
	if got := r.outcomes("p")["Y"]; got != "error StorageError" {
		t.Errorf("%s", got)
	}
	r.register("again", pc("Y"))
	if got := r.outcomes("again")["Y"]; got != "complete None" {
		t.Errorf("the second time: %s", got)
	}
}

// A 806 may come with a device that never shows.
func TestAssignedButNeverShown(t *testing.T) {
	r := newFixture(t, patient())
	r.fault(Fault{Serial: "GHOST", Effect: Import, Outcome: &Outcome{Code: 806, Name: "ZtdDeviceAlreadyAssigned"}})
	r.register("g", pc("GHOST"))
	if st := r.state(contoso); len(st.Identities) != 0 || st.Imported[0].Code != 806 {
		t.Errorf("%+v", st)
	}
}

func TestFaultAtTheTokenEndpoint(t *testing.T) {
	r := newFixture(t, patient())
	r.fault(Fault{Operation: "token", Effect: Reply, Status: 503})
	r.fault(Fault{Operation: "token", Effect: ResetAfter})
	if a := r.tokenRequest(contoso, nil); a.status != 503 || a.body["error"] != "temporarily_unavailable" {
		t.Errorf("%+v", a)
	}
	if a := r.tokenRequest(contoso, nil); !errors.Is(a.err, io.ErrUnexpectedEOF) {
		t.Errorf("%+v", a)
	}
}

func TestFaultsAreChecked(t *testing.T) {
	s := New(Options{})
	for _, f := range []Fault{{}, {Effect: "boom"}, {Effect: Reply}, {Effect: Page, Status: 200}, {Effect: Import}} {
		_, err := s.AddFault(f)
		wantErr(t, err, ErrFault)
	}
}

// The same seed and the same requests go wrong in the same places.
func TestChaosIsSeeded(t *testing.T) {
	run := func(seed int64) (statuses []int) {
		o := patient()
		o.Seed = seed
		o.Chaos = Chaos{
			Throttle:    0.1,
			Unavailable: 0.1,
			ServerError: 0.1,
			ResetBefore: 0.1,
			ResetAfter:  0.1,
			Truncate:    0.1,
		}
		r := newFixture(t, o)
		for range 200 {
			statuses = append(statuses, r.do("GET", importedPath, nil).status)
		}
		return statuses
	}
	first := run(1)
	again := run(1)
	other := run(2)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(first, other) {
		t.Error("the seed does not matter")
	}
	count := map[int]int{}
	for _, s := range first {
		count[s]++
	}
	for _, status := range []int{0, 200, 429, 500, 503} {
		if count[status] < 5 {
			t.Errorf("status %d came %d times", status, count[status])
		}
	}
}

func TestFaultJSON(t *testing.T) {
	in := Fault{Name: "n", Nth: 2, Effect: Import, Outcome: &Outcome{Code: 1, Name: "x", Polls: 2}}
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out Fault
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Error(diff)
	}
}
