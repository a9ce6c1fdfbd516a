package autopilot_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/budget"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/tenant"
)

const (
	contoso  = "11111111-1111-1111-1111-111111111111"
	clientID = "33333333-3333-3333-3333-333333333333"
	password = "s3cret-of-contoso"
	tenantID = device.TenantID("contoso")
	secretAt = "TAXIWAY_TEST_SECRET"
)

var start = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// fixture is a client of the simulator, on a clock that only advance moves, with every exchange held to the contract.
type fixture struct {
	*testing.T
	*autopilot.Client
	sim    *simulator.Server
	budget *spending
	log    *bytes.Buffer
}

type option func(*autopilot.Settings, *simulator.Options)

func newFixture(t *testing.T, options ...option) *fixture {
	t.Helper()
	t.Setenv(secretAt, password)
	r := &fixture{T: t, budget: &spending{}, log: &bytes.Buffer{}}
	sim := simulator.Options{
		Seed:  3,
		Now:   func() time.Time { return start },
		Pages: simulator.Pages{Imported: 7, Identities: 5, Directory: 3},
	}
	settings := autopilot.Settings{
		Budget:   r.budget,
		Patience: -1,
		Log:      slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Tenants: directory(t, tenant.Tenant{
			ID: tenantID, EntraTenantID: contoso, ClientID: clientID, Credential: tenant.Credential{SecretEnv: secretAt},
			Endpoints: tenant.Endpoints{Login: "http://127.0.0.1:1", Graph: "http://127.0.0.1:1"},
		}),
	}
	for _, o := range options {
		o(&settings, &sim)
	}
	r.sim = simulator.New(sim)
	r.sim.AddTenant(simulator.Tenant{ID: contoso, ClientID: clientID, ClientSecret: password})
	if settings.Now == nil {
		settings.Now = func() time.Time { return start }
	}
	if settings.HTTP == nil {
		settings.HTTP = &http.Client{Transport: held(t, r.sim.Transport())}
	}
	c, err := autopilot.NewDirectory(settings).For(tenantID)
	if err != nil {
		t.Fatal(err)
	}
	r.Client = c
	return r
}

func directory(t *testing.T, tenants ...tenant.Tenant) *tenant.Directory {
	t.Helper()
	d, err := tenant.NewDirectory(tenants...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func seconds(n int) simulator.Delay {
	d := time.Duration(n) * time.Second
	return simulator.Delay{Min: d, Max: d}
}

// machine makes up a device.
func machine(t *testing.T, n uint64, serial string) autopilot.ImportDevice {
	t.Helper()
	report := hwhash.Synthetic(n)
	if serial != "" {
		report.Serial = hwhash.NewSecret(serial)
	}
	h, err := hwhash.Encode(report)
	if err != nil {
		t.Fatal(err)
	}
	return autopilot.ImportDevice{Serial: device.NewSerial(report.Serial.Reveal()), Hash: h}
}

func machines(t *testing.T, n int) []autopilot.ImportDevice {
	t.Helper()
	var all []autopilot.ImportDevice
	for i := range n {
		all = append(all, machine(t, uint64(i+1), ""))
	}
	return all
}

// registered imports the devices and returns their registration ids by serial.
func (r *fixture) registered(devices ...autopilot.ImportDevice) map[string]string {
	r.Helper()
	const id = "aaaaaaaa-0000-4000-8000-000000000001"
	if _, err := r.Import(r.Context(), devices, id); err != nil {
		r.Fatal(err)
	}
	r.sim.Advance(time.Hour)
	records, err := r.Imported(r.Context(), autopilot.Wanted{ImportID: id})
	if err != nil {
		r.Fatal(err)
	}
	ids := map[string]string{}
	for _, record := range records {
		if record.Meaning() != autopilot.MeaningRegistered || record.RegistrationID == "" {
			r.Fatalf("not registered: %+v", record)
		}
		ids[record.Serial.Reveal()] = record.RegistrationID
	}
	return ids
}

func (r *fixture) fault(f simulator.Fault) {
	r.Helper()
	if _, err := r.sim.AddFault(f); err != nil {
		r.Fatal(err)
	}
}

// operations are the names of what the simulator was asked, sign-ins left out.
func (r *fixture) operations() (names []string) {
	for _, x := range r.sim.Log() {
		if x.Operation != "token" {
			names = append(names, x.Operation)
		}
	}
	return names
}

func (r *fixture) count(operation string) int { return len(r.sim.Log(operation)) }

func (r *fixture) wantCode(err error, want fault.Code) {
	r.Helper()
	if fault.CodeOf(err) != want {
		r.Errorf("got %q (%v), want %q", fault.CodeOf(err), err, want)
	}
}

// spending notes what was taken.
type spending struct {
	mu    sync.Mutex
	taken []string
	rates map[string]budget.Rate
	shut  []time.Time
	wait  time.Duration
}

func (b *spending) Take(
	_ context.Context,
	id device.TenantID,
	bucket string,
	n int,
	r budget.Rate,
	_ time.Time,
) (time.Duration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = append(b.taken, string(id)+" "+bucket)
	if b.rates == nil {
		b.rates = map[string]budget.Rate{}
	}
	b.rates[bucket] = budget.Rate{Limit: r.Limit, Window: r.Window}
	return b.wait, nil
}

func (b *spending) Shut(_ context.Context, _ device.TenantID, until time.Time, code fault.Code) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if code == fault.GraphThrottled {
		b.shut = append(b.shut, until)
	}
	return nil
}

func serialsOf(devices []autopilot.ImportDevice) (serials []string) {
	for _, d := range devices {
		serials = append(serials, d.Serial.Reveal())
	}
	slices.Sort(serials)
	return serials
}

// noSecrets fails if a hash, a serial or the client secret is in the text.
func noSecrets(t *testing.T, text string, devices ...autopilot.ImportDevice) {
	t.Helper()
	secrets := []string{password}
	for _, d := range devices {
		secrets = append(secrets, d.Serial.Reveal(), d.Hash.Wire()[:60], d.Hash.Wire()[200:260])
	}
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("a secret got out: %q in\n%s", s, text)
		}
	}
}
