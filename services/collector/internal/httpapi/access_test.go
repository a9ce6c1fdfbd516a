package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector/internal/collectortest"
	"taxiway.example/services/collector/internal/httpapi"
)

// Every route with every kind of key. A route that is missing here fails the test.
func TestAccess(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	mine := answer[batch](t, r.upload(t, contosoKey, collectortest.File(t, 1)), http.StatusAccepted)
	owned := answer[struct{ Rows []row }](t, r.get(t, mine.Links.Rows, contosoKey), http.StatusOK).Rows[0].Device
	serial, wire := collectortest.Device(t, 1, nil)
	path := func(pattern string) string {
		switch {
		case strings.HasPrefix(pattern, "/v1/batches/{id}"):
			return strings.Replace(pattern, "{id}", mine.ID, 1)
		case strings.HasPrefix(pattern, "/v1/devices/{id}"):
			return strings.Replace(pattern, "{id}", owned, 1)
		case pattern == "/v1/devices":
			return pattern + "?serial=" + serial
		case pattern == "/v1/batches":
			return pattern + "?idempotencyKey=k"
		}
		return pattern
	}
	bodies := map[string]any{
		"POST /v1/devices":              map[string]string{"hardwareHash": wire, "serialNumber": serial},
		"POST /v1/dead-letters/replay":  map[string]any{"ids": []string{"none"}, "reason": "test"},
		"POST /v1/devices/{id}/release": map[string]string{"reason": "test"},
		"POST /v1/devices/{id}/retire":  map[string]string{"reason": "test"},
		"POST /v1/devices/{id}/replace": map[string]string{"reason": "test", "with": "none"},
		"POST /v1/devices/{id}/change":  map[string]string{"reason": "test", "groupTag": "LAB"},
	}
	// What each key gets: nobody, an unknown key, contoso's, contoso's operator, fabrikam's, fabrikam's operator, the
	// house's.
	keys := []string{"", "wrong", contosoKey, contosoOps, fabrikamKey, fabrikamOps, globalKey}
	want := map[string][]int{
		"POST /v1/batches":              {401, 401, 202, 202, 202, 202, 403},
		"GET /v1/batches":               {401, 401, 200, 200, 200, 200, 403}, // each sees its own
		"GET /v1/batches/{id}":          {401, 401, 200, 200, 404, 404, 403},
		"GET /v1/batches/{id}/rows":     {401, 401, 200, 200, 404, 404, 403},
		"POST /v1/devices":              {401, 401, 200, 200, 200, 200, 403}, // known by then
		"GET /v1/devices":               {401, 401, 200, 200, 200, 200, 403}, // and has what each tenant uploaded
		"GET /v1/devices/{id}":          {401, 401, 200, 200, 404, 404, 403},
		"GET /v1/devices/{id}/timeline": {401, 401, 200, 200, 404, 404, 403},
		"POST /v1/devices/{id}/release": {401, 401, 403, 409, 403, 404, 403}, // it is not held
		"POST /v1/devices/{id}/retire":  {401, 401, 403, 200, 403, 404, 403},
		"POST /v1/devices/{id}/replace": {401, 401, 403, 404, 403, 404, 403}, // there is nothing to replace it with
		"POST /v1/devices/{id}/change":  {401, 401, 403, 200, 403, 404, 403},
		"GET /v1/dead-letters":          {401, 401, 403, 200, 403, 200, 200},
		"POST /v1/dead-letters/replay":  {401, 401, 403, 200, 403, 200, 200},
		"GET /livez":                    {200, 200, 200, 200, 200, 200, 200},
		"GET /readyz":                   {200, 200, 200, 200, 200, 200, 200},
	}
	for _, route := range httpapi.Routes() {
		name := route.Method + " " + route.Path
		statuses, ok := want[name]
		if !ok {
			t.Errorf("%s: say here who may use it", name)
			continue
		}
		for i, key := range keys {

			got := 0
			switch body, posts := bodies[name]; {
			case name == "POST /v1/batches":
				got = r.upload(t, key, collectortest.File(t, 1)).Code
			case posts:
				got = r.post(t, path(route.Path), key, body).Code
			default:
				got = r.get(t, path(route.Path), key).Code
			}
			if got != statuses[i] {
				t.Errorf("%s with key %q: %d, want %d", name, key, got, statuses[i])
			}
		}
	}
}

func TestKeyForms(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	for given, status := range map[string]int{
		"Bearer " + contosoKey:               http.StatusNotFound,
		"bearer  " + contosoKey + " ":        http.StatusNotFound,
		"Basic " + contosoKey:                http.StatusUnauthorized,
		contosoKey:                           http.StatusUnauthorized,
		"Bearer":                             http.StatusUnauthorized,
		"Bearer " + digestOf(contosoKey):     http.StatusUnauthorized,
		"Bearer " + strings.Repeat("x", 600): http.StatusUnauthorized,
	} {
		w := r.get(t, "/v1/batches/none", "", "Authorization", given)
		if w.Code != status {
			t.Errorf("%.20q: %d, want %d", given, w.Code, status)
		}
		if (w.Code == http.StatusUnauthorized) != (w.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%.20q: WWW-Authenticate %q", given, w.Header().Get("WWW-Authenticate"))
		}
	}
}

// What belongs to another tenant answers exactly as what does not exist.
func TestForeignIDsAreUnknown(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	mine := answer[batch](t, r.upload(t, contosoKey, collectortest.File(t, 1)), http.StatusAccepted)
	owned := answer[struct{ Rows []row }](t, r.get(t, mine.Links.Rows, contosoKey), http.StatusOK).Rows[0].Device
	for _, path := range []string{"/v1/batches/%s", "/v1/batches/%s/rows", "/v1/batches/%s/rows?format=csv", "/v1/devices/%s", "/v1/devices/%s/timeline"} {
		id := owned
		if strings.HasPrefix(path, "/v1/batches") {
			id = mine.ID
		}
		foreign := refused(t, r.get(t, fmt.Sprintf(path, id), fabrikamKey), http.StatusNotFound, fault.RequestNotFound)
		missing := refused(
			t,
			r.get(t, fmt.Sprintf(path, "018f0000-0000-7000-8000-000000000000"), fabrikamKey),
			http.StatusNotFound,
			fault.RequestNotFound,
		)
		if strings.ReplaceAll(
			foreign.Detail,
			id,
			"ID",
		) != strings.ReplaceAll(missing.Detail, "018f0000-0000-7000-8000-000000000000", "ID") ||
			foreign.Title != missing.Title {
			t.Errorf("%s tells a foreign id from a missing one: %q, %q", path, foreign.Detail, missing.Detail)
		}
	}
	if b := answer[batch](t, r.get(t, mine.Links.Self, contosoKey), http.StatusOK); b.Rows != 1 {
		t.Errorf("the owner sees %d rows", b.Rows)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	refused(t, r.get(t, "/v2/batches", contosoKey), http.StatusNotFound, fault.RequestNotFound)
	refused(t, r.get(t, "/v2/batches", ""), http.StatusUnauthorized, fault.RequestUnauthenticated)
	w := r.call(t, http.MethodDelete, "/v1/devices", contosoKey, nil)
	refused(t, w, http.StatusMethodNotAllowed, fault.RequestMethod)
	if got := w.Header().Get("Allow"); got != "POST, GET" {
		t.Errorf("Allow: %q", got)
	}
}

func TestRateLimitIsPerKey(t *testing.T) {
	t.Parallel()
	now := start
	r := newFixture(
		t,
		httpapi.Config{Rate: 1, Burst: 2},
		func(d *httpapi.Deps) { d.Now = func() time.Time { return now } },
	)
	ask := func(key string) int { return r.get(t, "/v1/batches/none", key).Code }
	got := []int{ask(contosoKey), ask(contosoKey), ask(contosoKey), ask(fabrikamKey)}
	if want := []int{404, 404, 429, 404}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	w := r.get(t, "/v1/batches/none", contosoKey)
	refused(t, w, http.StatusTooManyRequests, fault.RequestRateLimited)
	if w.Header().Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
	}
	now = now.Add(time.Second)
	if got := ask(contosoKey); got != 404 {
		t.Errorf("a second later: %d", got)
	}
}

// broken fails every question.
type broken struct{ ledger.Ledger }

func (broken) Batch(context.Context, device.TenantID, string) (ledger.BatchStatus, error) {
	return ledger.BatchStatus{}, fault.New(fault.LedgerUnavailable, "the database is gone")
}

func (broken) Devices(context.Context, device.TenantID, []string) ([]device.Device, error) {
	panic("boom")
}

func TestFailuresOfOurOwn(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{}, func(d *httpapi.Deps) { d.Reader = broken{} })
	w := r.get(t, "/v1/batches/x", contosoKey)
	refused(t, w, http.StatusServiceUnavailable, fault.LedgerUnavailable)
	if w.Header().Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	r.get(t, "/livez", "")
	w = r.get(t, "/v1/devices/x", contosoKey)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("a panic answers %d %s", w.Code, w.Body)
	}
	if !strings.Contains(r.log.String(), "handler panicked") {
		t.Error("the panic is not in the log")
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	sick := newFixture(t, httpapi.Config{})
	sick.health.Add("broker", func(context.Context) error {
		return fault.Wrap(
			errors.New("dial db.internal: refused"),
			fault.BrokerUnavailable,
			"no answer from db.internal",
		)
	})
	if w := sick.get(t, "/readyz", ""); w.Code != http.StatusServiceUnavailable ||
		!strings.Contains(w.Body.String(), `"broker":"broker.unavailable"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := r.get(t, "/readyz", ""); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	r.health.Drain()
	if w := r.get(t, "/readyz", ""); w.Code != http.StatusServiceUnavailable {
		t.Errorf("draining: %d", w.Code)
	}
	if w := r.get(t, "/livez", ""); w.Code != http.StatusOK {
		t.Errorf("liveness: %d", w.Code)
	}
}
