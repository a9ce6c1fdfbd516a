package telemetry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"taxiway.example/pkg/telemetry"
)

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestReadinessNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, readinessNamesWhatIsWrong)
}

func readinessNamesWhatIsWrong(t *testing.T) {
	var health telemetry.Health
	var ledger error
	asked := 0
	h := telemetry.Handler(&health, telemetry.NewRegistry())
	if code, body := get(t, h, "/readyz"); code != http.StatusServiceUnavailable ||
		!strings.Contains(body, "starting") {
		t.Errorf("%d %s", code, body)
	}
	health.Add("ledger", func(context.Context) error { asked++; return ledger })

	if code, body := get(t, h, "/readyz"); code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	ledger = errors.New("disk full")
	if code, body := get(t, h, "/readyz"); code != http.StatusOK || asked != 1 {
		t.Errorf("%d %s after %d checks in one moment", code, body, asked)
	}
	time.Sleep(time.Second)
	if code, body := get(t, h, "/readyz"); code != http.StatusServiceUnavailable ||
		!strings.Contains(body, "disk full") {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := get(t, h, "/livez"); code != http.StatusOK {
		t.Errorf("liveness must not depend on the ledger: %d", code)
	}
	ledger = nil
	time.Sleep(time.Second)
	health.Drain()
	if code, body := get(t, h, "/readyz"); code != http.StatusServiceUnavailable ||
		!strings.Contains(body, "draining") {
		t.Errorf("%d %s", code, body)
	}
}

func TestMetricsAreServed(t *testing.T) {
	t.Parallel()
	code, body := get(t, telemetry.Handler(new(telemetry.Health), telemetry.NewRegistry()), "/metrics")
	if code != http.StatusOK || !strings.Contains(body, "go_goroutines") {
		t.Errorf("%d", code)
	}
}

func TestLoggerRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{{"xml", "info"}, {"json", "loud"}} {
		if _, err := telemetry.NewLogger(io.Discard, tc[0], tc[1]); err == nil {
			t.Errorf("%v was accepted", tc)
		}
	}
}
