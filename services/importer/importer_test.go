package importer_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/hwhash/hwhashtest"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/slowness"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/importer"
)

const (
	clientID = "33333333-3333-3333-3333-333333333333"
	password = "s3cret"
	secretAt = "TAXIWAY_TEST_SECRET"
)

// entra are the tenants and their Entra tenants.
var entra = map[device.TenantID]string{
	"contoso":  "11111111-1111-1111-1111-111111111111",
	"fabrikam": "22222222-2222-2222-2222-222222222222",
}

func TestMain(m *testing.M) {
	if err := os.Setenv(secretAt, password); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// fixture is everything around the service, all of it real: simulator, SQLite, an embedded broker.
type fixture struct {
	*testing.T
	sim       *simulator.Server
	ledger    ledger.Ledger
	broker    broker.Broker
	tenants   *tenant.Directory
	autopilot *autopilot.Directory
	log       *journal
}

// journal is a log that can be read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

func newFixture(t *testing.T, o simulator.Options, change ...func(*tenant.Tenant)) *fixture {
	t.Helper()
	w := &fixture{T: t, sim: simulator.New(o), log: &journal{}}
	dir := t.TempDir()
	parts, err := engine.Open(
		t.Context(),
		"sqlite:"+filepath.Join(dir, "ledger.db"),
		"nats+embedded:"+filepath.Join(dir, "broker"),
		engine.Options{},
	)
	if err != nil {
		t.Fatal(err)
	}
	w.ledger = parts.Ledger
	w.broker = parts.Broker
	t.Cleanup(func() {
		if err := parts.Close(); err != nil {
			t.Error(err)
		}
	})
	var configured []tenant.Tenant
	for id, directory := range entra {
		w.sim.AddTenant(simulator.Tenant{ID: directory, ClientID: clientID, ClientSecret: password})
		c := tenant.Tenant{
			ID: id, EntraTenantID: directory, ClientID: clientID, Credential: tenant.Credential{SecretEnv: secretAt},
			Endpoints: tenant.Endpoints{Login: "http://127.0.0.1:1", Graph: "http://127.0.0.1:1"},
			Limits:    tenant.Limits{Writes: 600, Reads: 8000, Window: 20 * time.Second},
		}
		for _, f := range change {
			f(&c)
		}
		configured = append(configured, c)
	}
	if w.tenants, err = tenant.NewDirectory(configured...); err != nil {
		t.Fatal(err)
	}
	w.autopilot = autopilot.NewDirectory(autopilot.Settings{
		Tenants: w.tenants, Budget: w.ledger, HTTP: &http.Client{Transport: w.sim.Transport()},
		Timeout: slowness.Stretch(5 * time.Second),
	})
	return w
}

// fast are timings of a demo.
func fast() importer.Config {
	x := slowness.Stretcher()
	return importer.Config{
		Timings: importer.Timings{
			Claim: x(2 * time.Second), Lost: x(3 * time.Second),
			PollFirst: x(30 * time.Millisecond), PollMax: x(300 * time.Millisecond), Invisible: x(2 * time.Second),
			RetryFirst: x(50 * time.Millisecond),
			RetryMax:   x(500 * time.Millisecond), Denied: x(200 * time.Millisecond),
			Unavailable: x(50 * time.Millisecond), Grace: x(time.Second), Cleanup: x(20 * time.Millisecond),
		},
		Config: worker.Config{
			Dispatch: dispatch.Timings{
				Interval: x(20 * time.Millisecond),
				Lease:    x(time.Second),
				Overdue:  x(time.Second),
			},
		},
	}
}

func (w *fixture) deps() importer.Deps {
	return importer.Deps{Autopilot: w.autopilot, Deps: worker.Deps{
		Ledger: w.ledger, Broker: w.broker, Tenants: w.tenants,
		Logger: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}}
}

// start runs a service; stop ends it and says what Run returned.
func (w *fixture) start(cfg importer.Config) (stop func()) {
	w.Helper()
	service, err := importer.New(cfg, w.deps())
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.Context())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	return sync.OnceFunc(func() {
		w.Helper()
		cancel()
		if err := awaittest.Receive(w, "the end of Run", ended); err != nil {
			w.Errorf("Run: %v", err)
		}
	})
}

// accept takes made-up devices in, as the collector does.
func (w *fixture) accept(id device.TenantID, from, n uint64) []string {
	w.Helper()
	b := ledger.Batch{
		ID:      uuid.Must(uuid.NewV7()).String(),
		Tenant:  id,
		Source:  "oem",
		State:   ledger.Receiving,
		Created: time.Now(),
	}
	if _, _, err := w.ledger.OpenBatch(w.Context(), b); err != nil {
		w.Fatal(err)
	}
	var rows []intake.Candidate
	for i := range n {
		s := summary(w, from+i)
		c, err := device.CandidateOf(device.CaptureOf(s))
		if err != nil {
			w.Fatal(err)
		}
		rows = append(rows, intake.Candidate{Candidate: c, Row: int(i) + 1, Canonical: machine(w, from+i).Canonical()})
	}
	receipts, err := w.ledger.Accept(w.Context(), b, rows, ledger.Terms{Due: time.Now().Add(time.Second)})
	if err != nil {
		w.Fatal(err)
	}
	var ids []string
	for _, r := range receipts {
		ids = append(ids, r.Device)
	}
	return ids
}

func machine(w *fixture, seed uint64) hwhash.Hash {
	w.Helper()
	_, h := hwhashtest.Synthetic(w, seed)
	return h
}

func summary(w *fixture, seed uint64) hwhash.Summary {
	w.Helper()
	s, err := hwhash.Summarize(machine(w, seed))
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *fixture) announce(id device.TenantID, ids []string) {
	w.Helper()
	for chunk := range slices.Chunk(ids, event.MaxChunk) {
		e := event.ForDevices(event.DevicesCollected, "/taxiway/test", id, chunk, time.Now())
		if err := pipeline.NewEmitter(w.broker).Emit(w.Context(), e); err != nil {
			w.Fatal(err)
		}
	}
}

// until waits until every device of the tenant is as wanted.
func (w *fixture) until(id device.TenantID, ids []string, what string, ok func(device.Device) bool) {
	w.Helper()
	awaittest.State(w, what, func(ctx context.Context) (string, bool) {
		found, err := w.ledger.Devices(ctx, id, ids)
		if err != nil {
			w.Fatal(err)
		}
		others := slices.DeleteFunc(found, ok)
		if len(others) == 0 {
			return "", true
		}
		return fmt.Sprintf("%d are not, the first is %s %s %s", len(others), others[0].State, others[0].Code, others[0].Detail),
			false
	})
}

func registered(d device.Device) bool { return d.State == device.Registered && d.RegistrationID != "" }

func (w *fixture) noBlindPosts() {
	w.Helper()
	if blind := simulator.BlindReposts(w.sim.Log()); len(blind) > 0 {
		w.Errorf("posted twice without a look: %+v", blind)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	w := newFixture(t, simulator.Fast())
	stop := w.start(fast())
	defer stop()
	ids := w.accept("contoso", 1, 250)
	w.announce("contoso", ids)
	w.until("contoso", ids, "registered", registered)

	// The grouper hears of each of them.
	heard := w.hear(ids)
	if len(heard) != len(ids) {
		t.Errorf("%d of %d devices were announced", len(heard), len(ids))
	}
	awaittest.State(t, "our import records are gone", func(context.Context) (int, bool) {
		s, err := w.sim.State(entra["contoso"])
		return len(s.Imported), err == nil && len(s.Imported) == 0
	})
	stop()
	w.noBlindPosts()
	if log := w.log.String(); strings.Contains(log, summary(w, 1).RevealSerial()) {
		t.Error("a serial number is in the log")
	}
}

// hear consumes what was published for the grouper.
func (w *fixture) hear(ids []string) map[string]bool {
	w.Helper()
	ctx, moved, cancel := awaittest.Moving(w.Context())
	defer cancel()
	heard := map[string]bool{}
	sub := broker.Subscription{Name: "grouper", Type: string(event.DevicesRegistered)}
	err := w.broker.Consume(ctx, sub, func(_ context.Context, d broker.Delivery) broker.Outcome {
		e, err := event.Decode(d.Headers, d.Body)
		if err != nil {
			return broker.DeadLetter(err)
		}
		for _, id := range e.Devices {
			heard[id] = true
			moved()
		}
		if len(heard) == len(ids) {
			cancel()
		}
		return broker.Acknowledge()
	})
	if err != nil {
		w.Error(err)
	}
	return heard
}

// The events are lost altogether: the ledger knows what is to be done.
func TestWorkIsFoundWithoutEvents(t *testing.T) {
	t.Parallel()
	w := newFixture(t, simulator.Fast())
	stop := w.start(fast())
	defer stop()
	ids := w.accept("contoso", 1, 30)
	w.until("contoso", ids, "registered", registered)
	stop()
	w.noBlindPosts()
}

// A tenant whose credentials are refused waits; the other one does not.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	w := newFixture(t, simulator.Fast())
	bad, err := w.sim.AddFault(simulator.Fault{
		Operation: "token", Tenant: entra["contoso"], Effect: simulator.Reply, Status: 401, Code: "invalid_client", Times: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := w.start(fast())
	defer stop()
	ours := w.accept("contoso", 1, 20)
	theirs := w.accept("fabrikam", 100, 20)
	w.announce("contoso", ours)
	w.announce("fabrikam", theirs)
	w.until("fabrikam", theirs, "registered", registered)
	w.until("contoso", ours, "waiting for credentials", func(d device.Device) bool {
		return d.State == device.Collected && d.Code == "tenant.credentials_refused" && d.Attempts == 0
	})
	w.sim.RemoveFault(bad)
	w.until("contoso", ours, "registered", registered)
}

// Two services on one ledger and one broker, a service that throws connections away, and one of the two dies on the
// way.
func TestTwoServicesUnderChaos(t *testing.T) {
	t.Parallel()
	o := simulator.Fast()
	o.Chaos = simulator.Chaos{
		Throttle:    0.02,
		Unavailable: 0.02,
		ServerError: 0.02,
		ResetBefore: 0.02,
		ResetAfter:  0.05,
		Truncate:    0.02,
	}
	w := newFixture(t, o, func(c *tenant.Tenant) { c.Limits.ImportSize = 20 })
	cfg := fast()
	cfg.Timings.MaxAttempts = 50 // chaos is not the devices' fault
	stopFirst := w.start(cfg)
	stopSecond := w.start(cfg)
	defer stopFirst()
	defer stopSecond()
	ids := w.accept("contoso", 1, 200)
	w.announce("contoso", ids[:100])
	w.announce("contoso", ids) // some come twice
	w.until("contoso", ids[:20], "under way", func(d device.Device) bool { return d.State != device.Collected })
	stopFirst()
	w.until("contoso", ids, "registered", registered)
	stopSecond()
	w.noBlindPosts()
	state, err := w.sim.State(entra["contoso"])
	if err != nil || len(state.Identities) != len(ids) {
		t.Errorf("%d identities for %d devices, %v", len(state.Identities), len(ids), err)
	}
}

func TestTimingsAreChecked(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*importer.Timings){
		"settled before the claim is over": func(t *importer.Timings) {
			t.Claim = time.Minute
			t.Lost = time.Minute
		},
		"polls that get faster": func(t *importer.Timings) {
			t.PollFirst = time.Minute
			t.PollMax = time.Second
		},
		"retries that get faster": func(t *importer.Timings) {
			t.RetryFirst = time.Minute
			t.RetryMax = time.Second
		},
		"a negative pause": func(t *importer.Timings) { t.Grace = -1 },
		"no attempts":      func(t *importer.Timings) { t.MaxAttempts = -1 },
	} {
		var cfg importer.Config
		change(&cfg.Timings)
		if _, err := importer.New(cfg, importer.Deps{}); err == nil || !strings.Contains(err.Error(), "timings") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := importer.New(importer.Config{}, importer.Deps{}); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}
