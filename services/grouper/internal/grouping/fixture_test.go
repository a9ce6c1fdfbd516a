package grouping_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/hwhash/hwhashtest"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
	"taxiway.example/pkg/ledger/sqlite"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/grouping"
)

const (
	contoso  = "11111111-1111-1111-1111-111111111111"
	clientID = "33333333-3333-3333-3333-333333333333"
	password = "s3cret-of-contoso"
	here     = device.TenantID("contoso")
	nowhere  = "00000000-0000-4000-8000-00000000dead"

	updates = "identities.updateDeviceProperties"
	members = "groups.members"
)

// clock moves when told to; simulator, ledger and service share it.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// recorder is an emitter that keeps what it was given, or fails.
type recorder struct {
	events []event.Event
	err    error
}

func (r *recorder) Emit(_ context.Context, events ...event.Event) error {
	if r.err != nil && len(events) > 0 {
		return r.err
	}
	r.events = append(r.events, events...)
	return nil
}

// setup is what a test may choose.
type setup struct {
	sim     simulator.Options
	timings grouping.Timings
	tenant  tenant.Tenant
	wrap    func(grouping.Autopilot) grouping.Autopilot
}

// fixture is the stage with real neighbours: the simulator over the real client, and a ledger in SQLite.
type fixture struct {
	*testing.T
	*clock
	sim     *simulator.Server
	ledger  ledger.Ledger
	client  *autopilot.Client
	clients *autopilot.Directory
	tenants *tenant.Directory
	stage   *grouping.Service
	emitted *recorder
	metrics *prometheus.Registry
	log     *bytes.Buffer
	devices int
}

func newFixture(t *testing.T, change ...func(*setup)) *fixture {
	t.Helper()
	t.Parallel()
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &fixture{
		T:       t,
		clock:   &clock{t: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)},
		emitted: &recorder{},
		metrics: prometheus.NewRegistry(),
		log:     &bytes.Buffer{},
	}
	set := setup{
		sim: simulator.Options{Seed: 5, Now: w.now},
		tenant: tenant.Tenant{
			ID: here, EntraTenantID: contoso, ClientID: clientID, Credential: tenant.Credential{SecretFile: secretFile},
			Endpoints: tenant.Endpoints{Login: "http://127.0.0.1:1", Graph: "http://127.0.0.1:1"},
			Limits:    tenant.Limits{Writes: 1000, Reads: 100_000},
		},
	}
	for _, c := range change {
		c(&set)
	}
	w.sim = simulator.New(set.sim)
	w.sim.AddTenant(simulator.Tenant{ID: contoso, ClientID: clientID, ClientSecret: password})
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w.ledger = store
	tenants, err := tenant.NewDirectory(set.tenant)
	w.tenants = tenants
	if err != nil {
		t.Fatal(err)
	}
	clients := autopilot.NewDirectory(autopilot.Settings{
		Tenants: tenants, Budget: store, HTTP: &http.Client{Transport: w.sim.Transport()}, Patience: -1, Retries: -1,
		Now: w.now,
	})
	if w.client, err = clients.For(here); err != nil {
		t.Fatal(err)
	}
	w.clients = clients
	w.stage, err = grouping.New(set.timings, grouping.Deps{
		Ledger: store, Tenants: tenants, Emitter: w.emitted, Registry: w.metrics, Now: w.now,
		Connect: func(id device.TenantID) (grouping.Autopilot, error) {
			c, err := clients.For(id)
			if err != nil || set.wrap == nil {
				return c, err
			}
			return set.wrap(c), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// accepted puts devices, all with one row tag, into the ledger and returns them in order.
func (w *fixture) accepted(rowTag string, reports ...hwhash.Report) []device.Device {
	w.Helper()
	var rows []intake.Candidate
	for i, report := range reports {
		h := hwhashtest.Encode(w, report)
		summary, err := hwhash.Summarize(h)
		if err != nil {
			w.Fatal(err)
		}
		c := intake.Candidate{Row: i + 1, Canonical: h.Canonical(), GroupTag: rowTag}
		if c.Candidate, err = device.CandidateOf(device.CaptureOf(summary)); err != nil {
			w.Fatal(err)
		}
		rows = append(rows, c)
	}
	batch, _, err := w.ledger.OpenBatch(
		w.Context(),
		ledger.Batch{
			ID:      uuid.Must(uuid.NewV7()).String(),
			Tenant:  here,
			Source:  "oem-1",
			State:   ledger.Receiving,
			Created: w.now(),
		},
	)
	if err != nil {
		w.Fatal(err)
	}
	receipts, err := w.ledger.Accept(w.Context(), batch, rows, ledger.Terms{Due: w.now()})
	if err != nil {
		w.Fatal(err)
	}
	var devices []device.Device
	for _, r := range receipts {
		if r.Outcome != device.Accepted {
			w.Fatalf("receipt %+v", r)
		}
		devices = append(devices, w.device(r.Device))
	}
	return devices
}

// onItsWay is what the importer does beside publishing the event: the dispatcher leaves the devices alone for a while.
func (w *fixture) onItsWay(ids ...string) {
	w.Helper()
	for _, id := range ids {
		d := w.device(id)
		w.handOver(d, d.RegistrationID, w.now().Add(time.Minute))
	}
}

// all are devices that the import stage is done with: they are in Autopilot, with the tag there.
func (w *fixture) all(n int, rowTag, tag string) (ids []string) {
	w.Helper()
	var reports []hwhash.Report
	for range n {
		w.devices++
		reports = append(reports, hwhash.Synthetic(uint64(w.devices)))
	}
	for i, d := range w.accepted(rowTag, reports...) {
		id, err := w.sim.SeedRegistered(
			contoso,
			simulator.Registered{
				Hardware: simulator.Hardware{Hash: hwhashtest.Encode(w, reports[i]).Wire()},
				GroupTag: tag,
			},
		)
		if err != nil {
			w.Fatal(err)
		}
		ids = append(ids, d.ID)
		w.handOver(d, id, w.now())
	}
	return ids
}

func (w *fixture) registered(rowTag, tag string) string {
	w.Helper()
	return w.all(1, rowTag, tag)[0]
}

// handOver moves a device to where the grouper's work begins.
func (w *fixture) handOver(d device.Device, registration string, due time.Time) {
	w.Helper()
	ledgertest.MoveTo(w, w.ledger, here, d.ID, device.Registered, func(m *ledger.Move) {
		m.Due = due
		m.By = "importer"
		m.Set = ledger.Patch{RegistrationID: &registration}
	})
}

func (w *fixture) group(tag string) string {
	w.Helper()
	id, err := w.sim.SeedGroup(
		contoso,
		"AP "+tag,
		fmt.Sprintf(`(device.devicePhysicalIds -any (_ -eq "[OrderID]:%s"))`, tag),
	)
	if err != nil {
		w.Fatal(err)
	}
	return id
}

func (w *fixture) profile(groups ...string) {
	w.Helper()
	if _, err := w.sim.SeedProfile(contoso, "profile", groups...); err != nil {
		w.Fatal(err)
	}
}

func (w *fixture) fault(f simulator.Fault) {
	w.Helper()
	if _, err := w.sim.AddFault(f); err != nil {
		w.Fatal(err)
	}
}

// deliver hands the devices to the stage as one event.
func (w *fixture) deliver(ids ...string) error {
	w.Helper()
	return w.stage.Handle(w.Context(), event.ForDevices(event.DevicesRegistered, "/test", here, ids, w.now()))
}

// check delivers and wants no error.
func (w *fixture) check(ids ...string) {
	w.Helper()
	if err := w.deliver(ids...); err != nil {
		w.Fatal(err)
	}
}

// finish checks twice: what was read before a tag was written does not show what came of it.
func (w *fixture) finish(ids ...string) {
	w.Helper()
	w.check(ids...)
	w.advance(20 * time.Second)
	w.check(ids...)
}

func (w *fixture) device(id string) device.Device {
	w.Helper()
	found, err := w.ledger.Devices(w.Context(), here, []string{id})
	if err != nil || len(found) != 1 {
		w.Fatal(len(found), err)
	}
	return found[0]
}

// untilDue advances the clock to when the device is to be looked at again.
func (w *fixture) untilDue(id string) time.Duration {
	w.Helper()
	d := w.device(id).Due.Sub(w.now())
	if d <= 0 {
		w.Fatalf("due %s", d)
	}
	w.advance(d)
	return d
}

// want checks the device's state and reason.
func (w *fixture) want(id string, s device.State, c fault.Code) device.Device {
	w.Helper()
	d := w.device(id)
	if d.State != s || d.Code != c {
		w.Errorf("device is %s with %q (%s), want %s with %q", d.State, d.Code, d.Detail, s, c)
	}
	waits := s.InFlight()
	if waits && !d.Due.After(w.now()) || !waits && s != device.Ready && !d.Due.IsZero() {
		w.Errorf("a %s device is due at %v", d.State, d.Due)
	}
	return d
}

func (w *fixture) count(operation string) int { return len(w.sim.Log(operation)) }

func (w *fixture) announced() (ids []string) {
	for _, e := range w.emitted.events {
		if e.Type != event.DevicesReady || e.Tenant != here {
			w.Errorf("emitted %+v", e)
		}
		ids = append(ids, e.Devices...)
	}
	slices.Sort(ids)
	return ids
}

// counted is the value of one of the service's counters.
func (w *fixture) counted(name string, labels ...string) float64 {
	w.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var values []string
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if f.GetName() == name &&
				slices.Equal(slices.Sorted(slices.Values(values)), slices.Sorted(slices.Values(labels))) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// piped is deliver through the pipeline, with a log.
func (w *fixture) piped(ids ...string) error {
	w.Helper()
	e := event.ForDevices(event.DevicesRegistered, "/test", here, ids, w.now())
	log := slog.New(slog.NewTextHandler(w.log, nil))
	handler := pipeline.New(
		pipeline.Config{Subscription: event.Grouper, DeadLetters: w.ledger, Logger: log, Now: w.now},
		w.stage.Handle,
	)
	if out := handler(w.Context(), delivery(w.T, e)); out != broker.Acknowledge() {
		return fmt.Errorf("the outcome is %+v", out)
	}
	return nil
}
