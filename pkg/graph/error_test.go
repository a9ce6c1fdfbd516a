package graph

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/fault"
)

const (
	operation = "8fa1c6b2-0f5d-4a1e-9d1b-2f3a4b5c6d7e"
	inIntune  = `{"error":{"code":"BadRequest","message":"{\r\n  \"_version\": 3,\r\n  \"Message\": \"Bad serial - ` +
		`Operation ID (for customer support): 00000000-0000-0000-0000-000000000000 - Activity ID: ` +
		operation + ` - Url: https://fef.example/x?serial=S1\",\r\n  \"CustomApiErrorPhrase\": \"Phrase\",` +
		`\r\n  \"RetryAfter\": null,\r\n  \"HttpHeaders\": \"{}\"\r\n}",` +
		`"innerError":{"date":"2026","request-id":"r-1","client-request-id":"c-1"}}}`
)

const (
	needed     = "DeviceManagementServiceConfig.Read.All, DeviceManagementServiceConfig.ReadWrite.All"
	wrapped401 = `{"error":{"code":"UnknownError","message":"{\"ErrorCode\":\"Forbidden\",\"Message\":` +
		`\"{\\r\\n  \\\"_version\\\": 3,\\r\\n  \\\"Message\\\": \\\"Application is not authorized to perform this operation. ` +
		`Application must have one of the following scopes: ` + needed + ` - Operation ID (for customer support): ` +
		operation + ` - Activity ID: ` + operation + ` - Url: https://fef.example/x\\\"}\",\"Target\":null}"}}`
)

// A 401 that wraps Intune's refusal is no bad credential.
func TestRefusalWrappedAs401(t *testing.T) {
	for body, want := range map[string]fault.Code{
		wrapped401: fault.TenantPermissionMissing,
		`{"error":{"code":"InvalidAuthenticationToken","message":"expired"}}`: fault.TenantCredentialsRefused,
	} {
		e := parseError(401, nil, []byte(body), time.Now(), nil)
		if got := codeOf(Read, e); got != want {
			t.Errorf("%s means %s, want %s", body, got, want)
		}
		if want == fault.TenantPermissionMissing && !strings.Contains(e.Summary(), "needs one of "+needed+";") {
			t.Errorf("%q does not name the permissions", e.Summary())
		}
	}
}

func TestParseError(t *testing.T) {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		status int
		header http.Header
		body   string
		want   Error
	}{
		"Intune inside Graph": {400, nil, inIntune, Error{
			Status: 400, Code: "BadRequest", RequestID: "r-1", ClientRequestID: "c-1", ActivityID: operation,
			Message: "Bad serial - Operation ID (for customer support): 00000000-0000-0000-0000-000000000000 - Activity " +
				"ID: " + operation + " (Phrase)",
		}},
		"Intune's refusal, twice wrapped": {401, nil, wrapped401, Error{
			Status: 401, Code: "UnknownError", Inner: "Forbidden", ActivityID: operation, Message: "Application is not " +
				"authorized to perform this operation. Application must have one of the following scopes: " + needed +
				" - Operation ID (for customer support): " + operation + " - Activity ID: " + operation,
			Scopes: needed,
		}},
		"header before body": {
			404,
			http.Header{"Request-Id": {"h-1"}, "Client-Request-Id": {"h-2"}},
			`{"error":{"code":"ResourceNotFound","message":"gone","innerError":{"request-id":"r-1"}}}`,
			Error{Status: 404, Code: "ResourceNotFound", Message: "gone", RequestID: "h-1", ClientRequestID: "h-2"},
		},
		"pause inside": {
			429, nil, `{"error":{"code":"TooManyRequests","message":"{\"Message\":\"slow\",\"RetryAfter\":\"1.5\"}"}}`,
			Error{Status: 429, Code: "TooManyRequests", Message: "slow", RetryAfter: 1500 * time.Millisecond},
		},
		"header's pause counts": {
			429,
			http.Header{"Retry-After": {"3"}},
			`{"error":{"message":"{\"Message\":\"slow\",\"RetryAfter\":99}"}}`,
			Error{Status: 429, Message: "slow", RetryAfter: 3 * time.Second},
		},
		"approval": {
			403,
			http.Header{"X-Msft-Approval-Code": {"abc"}},
			`{"error":{"code":"Forbidden","message":"needs ApprovalRequired"}}`,
			Error{Status: 403, Code: "Forbidden", Message: "needs ApprovalRequired", ApprovalCode: "abc"},
		},
		"a brace is not yet Intune": {400, nil, `{"error":{"message":"{oops"}}`, Error{Status: 400, Message: "{oops"}},
		"no JSON":                   {502, nil, `<html><h1>Bad Gateway</h1>`, Error{Status: 502}},
		"nothing":                   {500, nil, ``, Error{Status: 500}},
		"wrong types":               {500, nil, `{"error":"x"}`, Error{Status: 500}},
		"hash echoed": {
			400, nil, `{"error":{"message":"literal '` + strings.Repeat("T0FV", 30) + `==' is no Edm.Binary\r\n\u0007next"}}`,
			Error{Status: 400, Message: "literal '[masked]' is no Edm.Binary  next"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := parseError(tt.status, tt.header, []byte(tt.body), now, nil)
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	e := Error{Status: 403, Code: "Forbidden", Message: "no", RequestID: "r", ActivityID: "a", ApprovalCode: "c"}
	if got, want := e.Summary(), "HTTP 403 Forbidden: no; request-id r; activity id a; approval code c"; got != want {
		t.Errorf("got %q", got)
	}
	if got := (&Error{Status: 502}).Summary(); got != "HTTP 502" {
		t.Errorf("got %q", got)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "2.128": 2128 * time.Millisecond, " 7 ": 7 * time.Second, "-3": 0, "0": 0,
		"NaN": 0, "Inf": 0, "1e300": maxRetryAfter, "86400": maxRetryAfter, "soon": 0,
		"Tue, 01 Sep 2026 12:00:30 GMT": 30 * time.Second, "Tue, 01 Sep 2026 11:00:00 GMT": 0,
		"Tuesday, 01-Sep-26 12:00:30 GMT": 30 * time.Second, "Fri, 01 Jan 2100 00:00:00 GMT": maxRetryAfter,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

func FuzzParseError(f *testing.F) {
	f.Add(400, inIntune, "")
	f.Add(
		429,
		`{"error":{"code":"TooManyRequests","message":"Please retry again later.","innerError":{"code":"429"}}}`,
		"2.128",
	)
	f.Add(401, wrapped401, "")
	f.Add(502, "<html>", "Tue, 01 Sep 2026 12:00:30 GMT")
	f.Add(403, `{"error":{"message":"{\"Message\":{},\"RetryAfter\":[]}"}}`, "Infinity")
	f.Fuzz(func(t *testing.T, status int, body, after string) {
		e := parseError(status, http.Header{"Retry-After": {after}}, []byte(body), time.Now(), nil)
		if e.RetryAfter < 0 || e.RetryAfter > maxRetryAfter {
			t.Errorf("wait %s", e.RetryAfter)
		}
		text := e.Summary()
		if !utf8.ValidString(text) || len([]rune(text)) > 1000 || strings.ContainsAny(text, "\r\n\x00\x1b") {
			t.Errorf("not fit for a log: %q", text)
		}
		if run := longRuns.FindString(e.Message); run != "" {
			t.Errorf("could be a piece of a hash: %q", run)
		}
		if codeOf(Read, e) == "" || codeOf(Write, e) == "" {
			t.Error("no code")
		}
	})
}
