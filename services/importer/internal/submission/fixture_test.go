package submission_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/hwhash/hwhashtest"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/sqlite"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/importer/internal/submission"
)

const (
	contoso  = device.TenantID("contoso")
	fabrikam = device.TenantID("fabrikam")
	clientID = "33333333-3333-3333-3333-333333333333"
	password = "s3cret"
	secretAt = "TAXIWAY_TEST_SECRET"
)

// entra are the Entra tenants.
var entra = map[device.TenantID]string{
	contoso:  "11111111-1111-1111-1111-111111111111",
	fabrikam: "22222222-2222-2222-2222-222222222222",
}

// fixture is the use case on the real simulator and a real SQLite ledger. It runs in a bubble of testing/synctest: all
// of them share one clock, which jumps when everybody waits.
type fixture struct {
	rapid.TB
	sim    *simulator.Server
	ledger ledger.Ledger
	graph  *autopilot.Directory
	events *recorder
	begun  *spy
	counts *prometheus.Registry
	submission.Service
	accepted map[device.TenantID][]string // devices, by tenant
}

// tb is what a test and a rapid check have in common.
type tb = rapid.TB

type knobs struct {
	sim     simulator.Options
	tenants []tenant.Tenant
	timings submission.Timings
	path    string // of an existing ledger
}

func TestMain(m *testing.M) {
	// One check of the laws is a whole life of an import; -rapid.checks asks for more of them.
	if err := errors.Join(os.Setenv(secretAt, password), flag.Set("rapid.checks", "40")); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// bubble runs a test on a clock of its own, which jumps when everybody waits.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// template is an empty ledger, made once: most tests begin with a copy of it.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "importer")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ledger.db")
	l, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	if err := l.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func configured(ids ...device.TenantID) []tenant.Tenant {
	var all []tenant.Tenant
	for _, id := range ids {
		all = append(all, tenant.Tenant{
			ID: id, EntraTenantID: entra[id], ClientID: clientID, Credential: tenant.Credential{SecretEnv: secretAt},
			Endpoints: tenant.Endpoints{Login: "http://127.0.0.1:1", Graph: "http://127.0.0.1:1"},
			Rules:     []tenant.Rule{{Tag: "BOOK", Manufacturer: "Contoso"}},
		})
	}
	return all
}

// slow is a service that takes its time, as the real one does.
func slow() simulator.Options {
	between := func(from, to time.Duration) simulator.Delay { return simulator.Delay{Min: from, Max: to} }
	return simulator.Options{
		Seed:  1,
		Pages: simulator.Pages{Imported: 3, Identities: 2},
		Delays: simulator.Delays{
			Import: between(30*time.Second, 3*time.Minute), ImportedVisible: between(0, 20*time.Second),
			IdentityVisible: between(0, time.Minute),
		},
		Quirks: simulator.Quirks{VerifyChecksum: true},
	}
}

func newFixture(t *testing.T, tb tb, k knobs) *fixture {
	t.Helper()
	if k.tenants == nil {
		k.tenants = configured(contoso, fabrikam)
	}
	if k.path == "" {
		k.path = filepath.Join(t.TempDir(), "ledger.db")
		empty, err := template()
		if err == nil {
			err = os.WriteFile(k.path, empty, 0o600)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	l, err := sqlite.Open(t.Context(), k.path, sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &fixture{
		TB:       tb,
		sim:      simulator.New(k.sim),
		ledger:   l,
		events:   &recorder{},
		counts:   prometheus.NewRegistry(),
		accepted: map[device.TenantID][]string{},
	}
	for _, id := range entra {
		r.sim.AddTenant(simulator.Tenant{ID: id, ClientID: clientID, ClientSecret: password})
	}
	tenants, err := tenant.NewDirectory(k.tenants...)
	if err != nil {
		tb.Fatal(err)
	}
	r.graph = autopilot.NewDirectory(autopilot.Settings{
		Tenants: tenants, Budget: l, HTTP: &http.Client{Transport: r.sim.Transport()}, Timeout: 20 * time.Second,
	})
	r.begun = &spy{Ledger: l, closed: map[string]bool{}}
	service, err := submission.New(k.timings, submission.Deps{
		Ledger: r.begun, Tenants: tenants, Emitter: r.events, Now: time.Now, Notify: func() {}, Registry: r.counts,
		Connect: func(id device.TenantID) (submission.Autopilot, error) { return r.graph.For(id) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	r.Service = *service
	return r
}

// spy notes the submissions that were begun.
type spy struct {
	submission.Ledger

	mu     sync.Mutex
	all    []ledger.Submission
	closed map[string]bool // known to be
}

func (s *spy) Begin(ctx context.Context, sub ledger.Submission, refs []ledger.Ref, by string) ([]device.Device, error) {
	won, err := s.Ledger.Begin(ctx, sub, refs, by)
	if len(won) > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all = append(s.all, sub)
	}
	return won, err
}

// recorder is an emitter that keeps everything.
type recorder struct {
	mu  sync.Mutex
	all []event.Event
}

func (r *recorder) Emit(_ context.Context, events ...event.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, events...)
	return nil
}

// machine makes up a device.
func machine(tb rapid.TB, seed uint64, change ...func(*hwhash.Report)) hwhash.Hash {
	tb.Helper()
	_, h := hwhashtest.Synthetic(tb, seed, change...)
	return h
}

// accept takes captures in as the collector does and returns the device ids.
func (r *fixture) accept(id device.TenantID, hashes ...hwhash.Hash) []string {
	r.Helper()
	ctx := context.Background()
	b := ledger.Batch{
		ID: uuid.Must(uuid.NewV7()).String(), Tenant: id, Source: "oem", State: ledger.Receiving, Created: time.Now(),
	}
	if _, _, err := r.ledger.OpenBatch(ctx, b); err != nil {
		r.Fatal(err)
	}
	var rows []intake.Candidate
	for i, h := range hashes {
		s, err := hwhash.Summarize(h)
		if err != nil {
			r.Fatal(err)
		}
		c, err := device.CandidateOf(device.CaptureOf(s))
		if err != nil {
			r.Fatal(err)
		}
		rows = append(rows, intake.Candidate{
			Candidate: c, Row: i + 1, Canonical: h.Canonical(), GroupTag: "ROW",
			User: fmt.Sprintf("user%d@contoso.example", i),
		})
	}
	receipts, err := r.ledger.Accept(ctx, b, rows, ledger.Terms{Due: time.Now()})
	if err != nil {
		r.Fatal(err)
	}
	var ids []string
	for _, receipt := range receipts {
		if receipt.Outcome != device.Accepted {
			r.Fatalf("row %d: %s %s %s", receipt.Row, receipt.Outcome, receipt.Code, receipt.Detail)
		}
		ids = append(ids, receipt.Device)
	}
	r.accepted[id] = append(r.accepted[id], ids...)
	return ids
}

// serial is a device's serial as a simulator's fault names it.
func serial(tb rapid.TB, h hwhash.Hash) string {
	tb.Helper()
	s, err := hwhash.Summarize(h)
	if err != nil {
		tb.Fatal(err)
	}
	return s.RevealSerial()
}

func (r *fixture) device(id device.TenantID, deviceID string) device.Device {
	r.Helper()
	found, err := r.ledger.Devices(context.Background(), id, []string{deviceID})
	if err != nil || len(found) != 1 {
		r.Fatalf("%d devices, %v", len(found), err)
	}
	return found[0]
}

// fault puts a line into the simulator's plan.
func (r *fixture) fault(f simulator.Fault) {
	r.Helper()
	if _, err := r.sim.AddFault(f); err != nil {
		r.Fatal(err)
	}
}

// counted reads a counter; label is the value of its only label, or empty.
func (r *fixture) counted(tb tb, name, label string) float64 {
	tb.Helper()
	families, err := r.counts.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (label == "" || m.GetLabel()[0].GetValue() == label) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// filler gives a device a serial number that many have.
func placeholder(r *hwhash.Report) { r.Serial = hwhash.NewSecret("Default string") }

// posts are the import calls that the simulator has seen.
func (r *fixture) posts() []simulator.Request { return r.sim.Log("imported.import") }

func (r *fixture) state(id device.TenantID) simulator.State {
	r.Helper()
	s, err := r.sim.State(entra[id])
	if err != nil {
		r.Fatal(err)
	}
	return s
}

// want checks where a device ended.
func (r *fixture) want(id device.TenantID, deviceID string, state device.State, code fault.Code) device.Device {
	r.Helper()
	d := r.device(id, deviceID)
	if d.State != state || d.Code != code {
		r.Errorf("the device is %s %q %q, want %s %q", d.State, d.Code, d.Detail, state, code)
	}
	return d
}

// announced are the devices of the events that went to the grouper.
func (r *fixture) announced() []string {
	var all []string
	for _, e := range r.events.all {
		all = append(all, e.Devices...)
	}
	slices.Sort(all)
	return all
}
