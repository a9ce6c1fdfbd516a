package httpapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/sqlite"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/collector/internal/collect"
	"taxiway.example/services/collector/internal/httpapi"
)

var start = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

// The keys of the tests.
const (
	contosoKey  = "contoso-key"
	contosoOps  = "contoso-ops"
	fabrikamKey = "fabrikam-key"
	fabrikamOps = "fabrikam-ops"
	globalKey   = "house-ops"
)

func digestOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// quiet takes events and forgets them.
type quiet struct{}

func (quiet) Emit(context.Context, ...event.Event) error { return nil }

// queue holds dead letters, by subscription/id, as a broker does.
type queue map[string]bool

func (q queue) Replay(_ context.Context, subscription, id, _ string) error {
	if place := subscription + "/" + id; !q[place] {
		return fault.New(fault.RequestNotFound, "not in the queue")
	}
	return nil
}

// fixture is the API on a real ledger, with two tenants and everything it logs.
type fixture struct {
	*httpapi.API
	ledger ledger.Ledger
	queue  queue
	log    *bytes.Buffer
	health *telemetry.Health
}

func newFixture(t testing.TB, c httpapi.Config, change ...func(*httpapi.Deps)) *fixture {
	t.Helper()
	l, err := sqlite.Open(
		t.Context(),
		filepath.Join(t.TempDir(), "ledger.db"),
		sqlite.Options{Now: func() time.Time { return start }},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	health := new(telemetry.Health)
	health.Add("ledger", l.Health)
	r := &fixture{ledger: l, queue: queue{}, log: &bytes.Buffer{}, health: health}
	logger := slog.New(slog.NewTextHandler(&locked{w: r.log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	taker, err := collect.New(collect.Config{Chunk: 20, Problems: 5}, collect.Deps{
		Ledger: l, Events: quiet{}, Now: func() time.Time { return start }, Logger: logger, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	deps := httpapi.Deps{
		Taker: taker, Reader: l, Tenants: directory(t), Health: r.health,
		DeadLetters: deadletter.New(
			deadletter.Deps{Ledger: l, Queues: r.queue, Now: func() time.Time { return start }, Logger: logger},
		),
		Now: func() time.Time { return start }, Logger: logger, Metrics: prometheus.NewRegistry(),
	}
	for _, f := range change {
		f(&deps)
	}
	c.Operators = []tenant.Key{{Name: "house", SHA256: digestOf(globalKey), Operator: true}}
	if r.API, err = httpapi.New(c, deps); err != nil {
		t.Fatal(err)
	}
	return r
}

func directory(t testing.TB) *tenant.Directory {
	t.Helper()
	of := func(id device.TenantID, key, ops string) tenant.Tenant {
		return tenant.Tenant{
			ID: id, EntraTenantID: "6f1d7f0a-0000-4000-8000-000000000001", ClientID: "6f1d7f0a-0000-4000-8000-000000000002",
			Credential: tenant.Credential{SecretEnv: "NONE"},
			Keys: []tenant.Key{
				{Name: "oem", SHA256: digestOf(key)},
				{Name: "ops", SHA256: digestOf(ops), Operator: true},
			},
		}
	}
	d, err := tenant.NewDirectory(of("contoso", contosoKey, contosoOps), of("fabrikam", fabrikamKey, fabrikamOps))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// locked lets requests log side by side.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// call sends a request with a key and returns the answer, which it holds against the API's description.
func (r *fixture) call(
	t testing.TB,
	method, path, key string,
	body io.Reader,
	headers ...string,
) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, body)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	conforms(t, req, w)
	return w
}

func (r *fixture) get(t testing.TB, path, key string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return r.call(t, http.MethodGet, path, key, nil, headers...)
}

func (r *fixture) upload(t testing.TB, key, text string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return r.call(
		t,
		http.MethodPost,
		"/v1/batches",
		key,
		strings.NewReader(text),
		append([]string{"Content-Type", "text/csv"}, headers...)...)
}

func (r *fixture) post(t testing.TB, path, key string, body any, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return r.call(
		t,
		http.MethodPost,
		path,
		key,
		bytes.NewReader(text),
		append([]string{"Content-Type", "application/json"}, headers...)...)
}

// answer reads a JSON answer that must have the status.
func answer[T any](t testing.TB, w *httptest.ResponseRecorder, status int) T {
	t.Helper()
	var v T
	if w.Code != status {
		t.Fatalf("status %d, want %d: %.300s", w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %.300s", err, w.Body)
	}
	return v
}

// problem is what the tests read of a problem.
type problem struct {
	Type, Title, Detail, Hint, Instance, Batch, Device string
	Status                                             int
	Code                                               fault.Code
	Errors                                             []struct {
		Row, Line      int
		Column, Detail string
		Code           fault.Code
	}
}

// refused reads a problem that must have status and code.
func refused(t testing.TB, w *httptest.ResponseRecorder, status int, code fault.Code) problem {
	t.Helper()
	p := answer[problem](t, w, status)
	if p.Code != code || p.Status != status || w.Header().Get("Content-Type") != "application/problem+json" ||
		w.Header().Get("Taxiway-Code") != string(code) {
		t.Errorf("%d %s (%s), want %d %s", p.Status, p.Code, w.Header().Get("Content-Type"), status, code)
	}
	return p
}

// batch is what the tests read of a receipt and of a batch.
type batch struct {
	ID, State    string
	Repeated     bool
	Rows         int
	Outcomes     map[string]int
	Warned       int
	MoreProblems int
	Problems     []row
	Notes        []string
	States       map[string]int
	Done         bool
	InFlight     int
	Rejects      []struct {
		Code  fault.Code
		Count int
	}
	Links struct{ Self, Rows, Failed string }
}

type row struct {
	Row                            int
	Outcome, Column, Device, State string
	Code                           fault.Code
	Warnings                       []string
}
