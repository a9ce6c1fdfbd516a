package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"taxiway.example/cmd/allinone"
	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/tenant"
)

// fixture is Microsoft's side, and the tenants it knows.
type fixture struct {
	sim     *allinone.Simulation
	spec    *Contract // nil when exchanges are not held to the contract
	tenants []tenant.Tenant
	secret  string // with which each of them signs in

	mu     sync.Mutex
	askers map[string]int // import calls by the replica that sent them
}

// ample is a tenant's budget where the test is not about budgets: deleting import records alone would take minutes.
const ample = 100_000

// newFixture simulates Microsoft with tenants named contoso, fabrikam and so on, each with a group and a profile for
// each tag of the demo file. Faults on purpose and the contract do not go together: a broken answer breaks the
// contract.
func newFixture(t *testing.T, o simulator.Options, tenants int, spec *Contract) *fixture {
	t.Helper()
	w := &fixture{spec: spec, askers: map[string]int{}}
	var err error
	if w.sim, err = allinone.Simulate(t.Context(), o, w.wrap); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	dir := t.TempDir()
	for n, id := range []device.TenantID{"contoso", "fabrikam", "northwind"}[:tenants] {
		tn, err := w.sim.AddTenant(id, n+1, dir, demofile.Tags...)
		if err != nil {
			t.Fatal(err)
		}
		tn.Limits.Writes = ample
		tn.Limits.Reads = ample
		w.tenants = append(w.tenants, WithKey(tn, n+1))
		if w.secret, err = tn.Credential.Secret(); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// wrap holds exchanges to the contract, if there is one, and notes who imports.
func (w *fixture) wrap(next http.Handler) http.Handler {
	if w.spec != nil {
		next = w.spec.Wrap(next)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if path.Base(r.URL.Path) == "import" {
			w.mu.Lock()
			w.askers[r.Header.Get(replicaHeader)]++
			w.mu.Unlock()
		}
		next.ServeHTTP(rw, r)
	})
}

// asked returns how many import calls a replica sent.
func (w *fixture) asked(replica string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.askers[replica]
}

// sharedContract is the contract beside the repository; without it the test says that nothing is checked.
func sharedContract(t *testing.T) *Contract {
	t.Helper()
	c, err := LoadContract(filepath.Join("..", "..", "..", "shared", "contract"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("NOT CHECKED: the OpenAPI contract is not beside the repository")
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// kept checks that no exchange broke the contract.
func (w *fixture) kept(t *testing.T) {
	t.Helper()
	if w.spec == nil {
		return
	}
	n, problems := w.spec.Result()
	t.Logf("%d exchanges held to the contract", n)
	for _, p := range problems {
		t.Error(p)
	}
}

// config is a quick pipeline for the fixture's tenants.
func (w *fixture) config(t *testing.T, s site) allinone.Config {
	t.Helper()
	dir, err := tenant.NewDirectory(w.tenants...)
	if err != nil {
		t.Fatal(err)
	}
	return allinone.Config{Ledger: s.ledger, Broker: s.broker, Tenants: dir}.Quick()
}

// plant puts the demo file's devices that Microsoft knows already into the world.
func (w *fixture) plant(t *testing.T, f *demofile.File) {
	t.Helper()
	other := simulator.Hardware{Hash: f.OtherTenant.Wire()}
	here := simulator.Hardware{Hash: f.AlreadyHere.Wire()}
	_, err := w.sim.Server.SeedRegistered(
		w.tenants[0].EntraTenantID,
		simulator.Registered{Hardware: here, GroupTag: "OLD"},
	)
	if err := errors.Join(err, w.sim.Server.SeedOwnedByOther(other)); err != nil {
		t.Fatal(err)
	}
}

func (w *fixture) state(t *testing.T, n int) simulator.State {
	t.Helper()
	s, err := w.sim.Server.State(w.tenants[n].EntraTenantID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// records counts the import records that Microsoft still keeps for a tenant.
func (w *fixture) records(t *testing.T, n int) int {
	t.Helper()
	return len(w.state(t, n).Imported)
}

// cleaned waits until our import records are gone.
func (w *fixture) cleaned(t *testing.T) {
	t.Helper()
	awaittest.State(t, "our import records are gone", func(context.Context) (int, bool) {
		n := w.records(t, 0)
		return n, n == 0
	})
}

// registered describes the devices that a tenant has at Microsoft, sorted.
func (w *fixture) registered(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for _, i := range w.state(t, n).Identities {
		status := i.ProfileStatus
		if strings.HasPrefix(status, "assigned") {
			status = "assigned" // whether the device knows it already is not our business
		}
		all = append(
			all,
			fmt.Sprintf("%s %s: tag %s, profile %s", i.Serial, i.Key[:min(12, len(i.Key))], i.GroupTag, status),
		)
	}
	slices.Sort(all)
	return all
}

// imports counts, for each device, the import calls that Microsoft carried out, whatever it answered.
func (w *fixture) imports() map[string]int {
	n := map[string]int{}
	for _, r := range w.sim.Server.Log("imported.import", "imported.create") {
		if r.Applied {
			for _, d := range r.Devices {
				n[d]++
			}
		}
	}
	return n
}

// calls counts requests by operation.
func (w *fixture) calls(operations ...string) int { return len(w.sim.Server.Log(operations...)) }

// sentOnce checks that no device was sent twice, and none again without a look.
func (w *fixture) sentOnce(t *testing.T) {
	t.Helper()
	w.neverBlind(t)
	imports := w.imports()
	for _, d := range slices.Sorted(maps.Keys(imports)) {
		if imports[d] != 1 {
			t.Errorf("device %.12s was imported %d times", d, imports[d])
		}
	}
}

// neverBlind checks that no device was sent again without a look.
func (w *fixture) neverBlind(t *testing.T) {
	t.Helper()
	for _, p := range simulator.BlindReposts(w.sim.Server.Log()) {
		t.Errorf(
			"device %.12s was sent at %s and again at %s, and nobody had looked",
			p.Device,
			p.First.Time,
			p.Second.Time,
		)
	}
}
