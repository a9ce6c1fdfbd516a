package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector/internal/collectortest"
	"taxiway.example/services/collector/internal/httpapi"
)

// fading gives the first page of rows, and then does what later says.
type fading struct {
	httpapi.Reader
	later func() error
}

func (f fading) Rows(
	ctx context.Context,
	tenant device.TenantID,
	batch string,
	q ledger.RowQuery,
) ([]ledger.RowStatus, error) {
	if q.After >= 500 {
		return nil, f.later()
	}
	return f.Reader.Rows(ctx, tenant, batch, q)
}

// statuses counts the requests for rows by status.
func statuses(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "taxiway_collector_requests_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["route"] == "/v1/batches/{id}/rows" {
				counts[labels["status"]] += m.GetCounter().GetValue()
			}
		}
	}
	return counts
}

// A report whose rows cannot be read to the end does not end as if it were whole.
func TestReportThatBreaksOff(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		later func() error
		logs  []string
	}{
		"the ledger fails": {
			later: func() error {
				return fault.Wrap(errors.New("server closed"), fault.LedgerUnavailable, "no answer")
			},
			logs: []string{"level=ERROR", "answer broken off", "ledger.unavailable", "request aborted"},
		},
		"a panic": {later: func() error { panic("boom") }, logs: []string{"handler panicked", "request aborted"}},
	} {
		for _, format := range []string{"csv", "ndjson"} {
			t.Run(name+"/"+format, func(t *testing.T) {
				t.Parallel()
				reg := prometheus.NewRegistry()
				r := newFixture(t, httpapi.Config{}, func(d *httpapi.Deps) {
					d.Reader = fading{Reader: d.Reader, later: tc.later}
					d.Metrics = reg
				})
				sent := answer[batch](
					t,
					r.upload(t, contosoKey, collectortest.Header+strings.Repeat("S,,,,\r\n", 600)),
					http.StatusAccepted,
				)
				server := httptest.NewServer(r)
				defer server.Close()
				req, err := http.NewRequestWithContext(
					t.Context(),
					http.MethodGet,
					server.URL+sent.Links.Rows+"?format="+format,
					nil,
				)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+contosoKey)
				resp, err := server.Client().Do(req)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err == nil {
					t.Errorf(
						"%d with %d lines of 600, and a clean end",
						resp.StatusCode,
						strings.Count(string(text), "\n"),
					)
				}
				server.Close() // and with it every handler
				for _, part := range tc.logs {
					if !strings.Contains(r.log.String(), part) {
						t.Errorf("the log has no %q", part)
					}
				}
				if got := statuses(t, reg); got["aborted"] != 1 || got["200"] != 0 {
					t.Errorf("requests by status: %v", got)
				}
			})
		}
	}
}

// What fails before the first byte is a problem like any other, and no attachment.
func TestReportThatDoesNotBegin(t *testing.T) {
	t.Parallel()
	r := newFixture(t, httpapi.Config{}, func(d *httpapi.Deps) { d.Reader = rowless{d.Reader} })
	sent := answer[batch](t, r.upload(t, contosoKey, collectortest.File(t, 1)), http.StatusAccepted)
	w := r.get(t, sent.Links.Rows+"?format=csv", contosoKey)
	refused(t, w, http.StatusServiceUnavailable, fault.LedgerUnavailable)
	if got := w.Header().Get("Content-Disposition"); got != "" {
		t.Errorf("Content-Disposition: %s", got)
	}
}

// rowless has batches and cannot read their rows.
type rowless struct{ httpapi.Reader }

func (rowless) Rows(context.Context, device.TenantID, string, ledger.RowQuery) ([]ledger.RowStatus, error) {
	return nil, fault.New(fault.LedgerUnavailable, "no answer")
}
