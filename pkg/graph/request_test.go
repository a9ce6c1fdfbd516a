package graph_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

func TestRequestGoesOutAsMicrosoftWritesIt(t *testing.T) {
	s := serve(t, ok(`{"id":"7"}`))
	f := connect(t, s.URL)
	r := get("/devices")
	r.Query = url.Values{"$filter": {"deviceId eq 'a b+c'"}, "$top": {"5"}}
	r.Header = http.Header{"ConsistencyLevel": {"eventual"}}
	var out struct{ ID string }
	if err := f.Do(t.Context(), r, &out); err != nil || out.ID != "7" {
		t.Fatalf("%v, %+v", err, out)
	}
	x := s.log()[0]
	if want := "/v1.0/devices?$filter=deviceId%20eq%20%27a%20b%2Bc%27&$top=5"; x.uri != want {
		t.Errorf("uri %s, want %s", x.uri, want)
	}
	if x.header.Get("Authorization") != "Bearer token-1" || x.header.Get("ConsistencyLevel") != "eventual" ||
		x.header.Get("Accept") != "application/json" {
		t.Errorf("headers %v", x.header)
	}
	if _, err := uuid.Parse(x.header.Get("client-request-id")); err != nil {
		t.Errorf("client-request-id: %v", err)
	}
}

// TestOutcomes is the law: what is certain to have not happened, what may have, and what Graph cannot say.
func TestOutcomes(t *testing.T) {
	problem := func(code string) string { return `{"error":{"code":"` + code + `","message":"m"}}` }
	tests := []struct {
		name        string
		answer      http.HandlerFunc
		read, write fault.Code
	}{
		{"400", status(400, problem("BadRequest")), fault.GraphBadRequest, fault.GraphBadRequest},
		{"401 twice", status(401, problem("InvalidAuthenticationToken")), fault.TenantCredentialsRefused, fault.TenantCredentialsRefused},
		{"403", status(403, problem("Forbidden")), fault.TenantPermissionMissing, fault.TenantPermissionMissing},
		{"403 of Entra", status(403, problem("Authorization_RequestDenied")), fault.TenantPermissionMissing, fault.TenantPermissionMissing},
		{"403 of another kind", status(403, problem("LicenseMissing")), fault.GraphForbidden, fault.GraphForbidden},
		{"approval by header", status(403, problem("Forbidden"), "x-msft-approval-code", "c1"), fault.GraphApprovalRequired, fault.GraphApprovalRequired},
		{"approval by code", status(400, problem("ApprovalRequired")), fault.GraphApprovalRequired, fault.GraphApprovalRequired},
		{"404", status(404, problem("ResourceNotFound")), fault.GraphNotFound, fault.GraphNotFound},
		{"409", status(409, ""), fault.GraphConflict, fault.GraphConflict},
		{"412", status(412, problem("ConditionNotMet")), fault.GraphConflict, fault.GraphConflict},
		{"413", status(413, "<html>"), fault.GraphBadRequest, fault.GraphBadRequest},
		{"429", status(429, problem("TooManyRequests")), fault.GraphThrottled, fault.GraphThrottled},
		{"302", status(302, "", "Location", "/elsewhere"), fault.GraphUnexpected, fault.GraphUnexpected},
		{"408", status(408, ""), fault.GraphUnavailable, fault.GraphUnknownOutcome},
		{"500", status(500, problem("InternalServerError")), fault.GraphUnavailable, fault.GraphUnknownOutcome},
		{"502", status(502, "<html>bad gateway"), fault.GraphUnavailable, fault.GraphUnknownOutcome},
		{"503", status(503, ""), fault.GraphUnavailable, fault.GraphUnknownOutcome},
		{"504", status(504, ""), fault.GraphUnavailable, fault.GraphUnknownOutcome},
		{"no JSON", ok(`<html>`), fault.GraphUnexpected, fault.GraphUnknownOutcome},
		{"cut JSON", ok(`{"value":[{"id":"1"},`), fault.GraphUnexpected, fault.GraphUnknownOutcome},
		{"empty 200", ok(``), fault.GraphUnexpected, fault.GraphUnknownOutcome},
		{"connection lost", hangUp, fault.GraphUnavailable, fault.GraphUnknownOutcome},
		{"answer broken off", breakOff, fault.GraphUnavailable, fault.GraphUnknownOutcome},
		{"answer too large", ok(strings.Repeat(" ", graph.MaxAnswer+1)), fault.GraphUnavailable, fault.GraphUnknownOutcome},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.answer, tt.answer, tt.answer, tt.answer, tt.answer, tt.answer)
			var out struct{}
			wantCode(t, connect(t, s.URL, noRetries).Do(t.Context(), get("/x"), &out), tt.read)
			wantCode(t, connect(t, s.URL).Do(t.Context(), post("/x", struct{}{}), &out), tt.write)
		})
	}
}

func noRetries(c *graph.Config) { c.Retries = -1 }

func TestReadsAreRepeatedAndWritesAreNot(t *testing.T) {
	// On a connection used before, net/http itself repeats a read that was hung up on: so the loss comes first.
	s := serve(t, hangUp, status(503, ""), ok(`{}`), status(503, ""), ok(`{}`))
	f := connect(t, s.URL)
	if err := f.Do(t.Context(), get("/x"), nil); err != nil {
		t.Errorf("a read after two failures: %v", err)
	}
	wantCode(t, f.Do(t.Context(), post("/x", nil), nil), fault.GraphUnknownOutcome)
	if n := len(s.log()); n != 4 {
		t.Errorf("%d requests, want 3 reads and 1 write", n)
	}
	if len(f.gate.taken) != 4 {
		t.Errorf("the gate was asked %v, want once each try", f.gate.taken)
	}
}

func TestReadsAreRepeatedABoundedNumberOfTimes(t *testing.T) {
	s := serve(t, hangUp, hangUp, hangUp, ok(`{}`))
	wantCode(t, connect(t, s.URL).Do(t.Context(), get("/x"), nil), fault.GraphUnavailable)
	if n := len(s.log()); n != 3 {
		t.Errorf("%d tries, want 3", n)
	}
}

func TestNothingSentIsNoUnknownOutcome(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	_ = l.Close()
	unresolved := &http.Client{
		Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{
				Op:  "dial",
				Err: &net.DNSError{Err: "no such host", Name: "graph.example", IsNotFound: true},
			}
		}},
	}
	wantCode(t, connect(t, closed).Do(t.Context(), post("/x", nil), nil), fault.GraphUnavailable)
	named := connect(t, "https://graph.example", func(c *graph.Config) { c.HTTP = unresolved })
	wantCode(t, named.Do(t.Context(), post("/x", nil), nil), fault.GraphUnavailable)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := named.Do(ctx, post("/x", nil), nil); !fault.IsCancel(err) || fault.CodeOf(err) != fault.CodeUnknown {
		t.Errorf("cancelled before sending: %v", err)
	}
}

// opaque is a transport that does not say when it sends.
type opaque struct{}

func (opaque) RoundTrip(*http.Request) (*http.Response, error) { return nil, net.ErrClosed }

func TestATransportThatDoesNotReportMayHaveSent(t *testing.T) {
	f := connect(t, "https://graph.example", func(c *graph.Config) { c.HTTP = &http.Client{Transport: opaque{}} })
	wantCode(t, f.Do(t.Context(), post("/x", nil), nil), fault.GraphUnknownOutcome)
}

func TestTimeoutAfterSendingIsUnknown(t *testing.T) {
	release := make(chan struct{})
	slow := func(http.ResponseWriter, *http.Request) { <-release }
	s := serve(t, slow, slow)
	defer close(release)
	f := connect(t, s.URL, noRetries, func(c *graph.Config) { c.Timeout = 50 * time.Millisecond })
	wantCode(t, f.Do(t.Context(), post("/x", struct{}{}), nil), fault.GraphUnknownOutcome)
	wantCode(t, f.Do(t.Context(), get("/x"), nil), fault.GraphUnavailable)
}

func TestStopWhileWaitingIsUnknownForWritesOnly(t *testing.T) {
	for _, r := range []graph.Request{post("/x", struct{}{}), get("/x")} {
		arrived := make(chan struct{})
		release := make(chan struct{})
		s := serve(t, func(http.ResponseWriter, *http.Request) { close(arrived); <-release })
		f := connect(t, s.URL)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		err := f.Do(ctx, r, nil)
		close(release)
		if !fault.IsCancel(err) {
			t.Errorf("%s: %v is no cancellation", r.Method, err)
		}
		if want := r.Method == http.MethodPost; (fault.CodeOf(err) == fault.GraphUnknownOutcome) != want {
			t.Errorf("%s: %v", r.Method, err)
		}
	}
}

func TestLongErrorBodiesAreCutNotRefused(t *testing.T) {
	s := serve(t, status(400, `{"error":{"code":"BadRequest","message":"`+strings.Repeat("x ", graph.MaxError)+`"}}`))
	wantCode(t, connect(t, s.URL).Do(t.Context(), get("/x"), nil), fault.GraphBadRequest)
}

// TestNothingSecretGetsOut looks at every error text and log record of calls whose parts are all secret.
func TestNothingSecretGetsOut(t *testing.T) {
	const serial, hash = "5CG0SECRET", "T0FVBAEAHAAAAAoAugBKYQAACgB9AEph4vsK0000000000000000000000000000000000000000SECRET"
	echo := `{"error":{"code":"BadRequest","message":"Cannot convert the literal '` + hash + `' of ` + serial + ` to 'Edm.Binary'."}}`
	s := serve(
		t,
		status(400, echo),
		hangUp,
		status(400, echo),
		ok(`{"value":[],"@odata.nextLink":"https://evil.example/?serial=`+serial+`"}`),
	)
	var log bytes.Buffer
	f := connect(t, s.URL, noRetries, func(c *graph.Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	r := post("/import", map[string]string{"hardwareIdentifier": hash, "serialNumber": serial})
	r.Query = url.Values{"$filter": {serial}}
	r.Hide = []string{serial}
	var printed strings.Builder
	record := func(err error) {
		if err == nil {
			t.Fatal("no error")
		}
		printed.WriteString(err.Error() + fault.DetailOf(err) + "\n")
	}
	record(f.Do(t.Context(), r, nil))
	record(f.Do(t.Context(), r, nil))
	r.Method = http.MethodGet
	for _, err := range graph.List(t.Context(), f.Client, r, func(string) string { return "" }) {
		record(err)
	}
	for _, err := range graph.List(t.Context(), f.Client, r, func(string) string { return "" }) {
		record(err)
	}
	all := printed.String() + log.String()
	for _, secret := range []string{serial, hash, hash[:40], "token-1"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q got out:\n%s", secret, all)
		}
	}
	if !strings.Contains(all, "Edm.Binary") || strings.Count(log.String(), "graph exchange") != 4 {
		t.Errorf("what is useful is missing:\n%s", all)
	}
}
