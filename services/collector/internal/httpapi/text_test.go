package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"taxiway.example/pkg/fault"
	"taxiway.example/services/collector/internal/collectortest"
	"taxiway.example/services/collector/internal/httpapi"
)

// Text that a ledger cannot look for is the client's mistake, wherever it comes.
func TestTextThatNoLedgerTakes(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	for _, bad := range []string{"%FF", "%00", "a%C3", "%ED%A0%80"} {
		for _, path := range []string{
			"/v1/batches/" + bad, "/v1/batches/" + bad + "/rows", "/v1/batches/x/rows?format=csv&outcome=" + bad,
			"/v1/batches?idempotencyKey=" + bad,
			"/v1/batches?queue=" + bad + "&message=x", "/v1/batches?queue=x&message=" + bad, "/v1/devices/" + bad,
			"/v1/devices/" + bad + "/timeline", "/v1/devices?serial=" + bad,
		} {
			refused(t, r.get(t, path, contosoKey), http.StatusBadRequest, fault.RequestInvalid)
		}
		for _, path := range []string{"/v1/dead-letters?code=" + bad, "/v1/dead-letters?after=" + bad} {
			refused(t, r.get(t, path, contosoOps), http.StatusBadRequest, fault.RequestInvalid)
		}
	}
	for _, key := range []string{"a\xffb", "a\x00b", "Bestellung №1"} {
		refused(
			t,
			r.upload(t, contosoKey, collectortest.File(t, 1), "Idempotency-Key", key),
			http.StatusBadRequest,
			fault.RequestInvalid,
		)
	}
	for _, body := range []map[string]any{{"ids": []string{"a\x00"}, "reason": "x"}, {"ids": []string{"a"}, "reason": "x\x00y"}} {
		refused(t, r.post(t, "/v1/dead-letters/replay", contosoOps, body), http.StatusBadRequest, fault.RequestInvalid)
	}
}

// A query that cannot be read is not read in part: a group tag that gets lost would go unnoticed.
func TestQueryThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	w := r.call(
		t,
		http.MethodPost,
		"/v1/batches?groupTag=%zz",
		contosoKey,
		strings.NewReader(collectortest.File(t, 1)),
		"Content-Type",
		"text/csv",
	)
	refused(t, w, http.StatusBadRequest, fault.RequestInvalid)
	if w := r.get(t, "/livez?x=%FF", ""); w.Code != http.StatusOK {
		t.Errorf("liveness: %d", w.Code)
	}
}

// An empty body answers the same whether it says gzip or not.
func TestNothingSaidToBeGzip(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{})
	refused(t, r.upload(t, contosoKey, "", "Content-Encoding", "gzip"), http.StatusUnprocessableEntity, fault.FileEmpty)
	w := r.call(
		t,
		http.MethodPost,
		"/v1/devices",
		contosoKey,
		strings.NewReader(""),
		"Content-Type",
		"application/json",
		"Content-Encoding",
		"gzip",
	)
	refused(t, w, http.StatusBadRequest, fault.RequestInvalid)
	w = r.call(
		t,
		http.MethodPost,
		"/v1/dead-letters/replay",
		contosoOps,
		strings.NewReader(""),
		"Content-Type",
		"application/json",
		"Content-Encoding",
		"gzip",
	)
	refused(t, w, http.StatusBadRequest, fault.RequestInvalid)
	refused(
		t,
		r.upload(t, contosoKey, "\x1f", "Content-Encoding", "gzip"),
		http.StatusBadRequest,
		fault.RequestTruncated,
	)
}
