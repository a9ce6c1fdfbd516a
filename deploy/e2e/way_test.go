package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"taxiway.example/cmd/allinone"
	"taxiway.example/cmd/demofile"
	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/tenant"
)

// patience is how long a test waits for the pipeline to come to rest; it is far beyond what it takes.
const patience = 2 * time.Minute

// until asks again and again until done says so; it fails the test when patience is over.
func until(t *testing.T, what string, done func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: did not happen", what)
		}
	}
}

// settled waits until nothing of a batch is in flight, and returns its status.
func settled(t *testing.T, c Client, batch string) Status {
	t.Helper()
	var s Status
	until(t, "the batch comes to rest", func(ctx context.Context) bool {
		var err error
		s, err = c.Batch(ctx, batch)
		return err == nil && s.State == "complete" && s.InFlight() == 0
	})
	return s
}

func simulate(t *testing.T, o simulator.Options) (*allinone.Simulation, *Contract) {
	t.Helper()
	c, err := LoadContract(filepath.Join("..", "..", "..", "shared", "contract"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	sim, err := allinone.Simulate(t.Context(), o, nil)
	if c != nil {
		sim, err = allinone.Simulate(t.Context(), o, c.Wrap)
	} else {
		t.Log("NOT CHECKED: the OpenAPI contract is not beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return sim, c
}

func TestAFileBecomesReadyDevices(t *testing.T) {
	file, err := demofile.Generate(120, 1)
	if err != nil {
		t.Fatal(err)
	}
	sim, spec := simulate(t, simulator.Fast())
	tn, err := sim.AddTenant("contoso", 1, t.TempDir(), demofile.Tags...)
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Server.SeedOwnedByOther(simulator.Hardware{Hash: file.OtherTenant.Wire()}); err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Server.SeedRegistered(tn.EntraTenantID, simulator.Registered{Hardware: simulator.Hardware{Hash: file.AlreadyHere.Wire()}, GroupTag: "OLD"}); err != nil {
		t.Fatal(err)
	}
	dir, err := tenant.NewDirectory(WithKey(tn, 1))
	if err != nil {
		t.Fatal(err)
	}
	var logs bytes.Buffer
	node, err := Start(t.Context(), allinone.Config{
		Ledger: "sqlite:" + t.TempDir() + "/ledger.db", Broker: "nats+embedded:" + t.TempDir() + "/broker", Tenants: dir,
	}.Quick(), &logs)
	if err != nil {
		t.Fatal(err)
	}
	c := Client{node.URL, Key(1)}
	s, err := c.Submit(t.Context(), file.CSV, "file-1")
	if err != nil {
		t.Fatal(err)
	}
	s = settled(t, c, s.ID)
	t.Logf("%+v", s)
	if err := s.Conserved(); err != nil {
		t.Error(err)
	}
	if s.Rows != 120 || s.Outcomes["rejected"] != 4 || s.Outcomes["duplicate"] != 2 || s.States["held"] != 1 || s.States["ready"] != 113 {
		t.Errorf("unexpected end: %+v", s)
	}
	if posts := simulator.BlindReposts(sim.Server.Log()); len(posts) > 0 {
		t.Errorf("posted twice without a look: %+v", posts)
	}
	if err := node.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	for _, hash := range file.Hashes {
		if bytes.Contains(logs.Bytes(), []byte(hash[:60])) {
			t.Fatal("a hash is in the logs")
		}
	}
	if spec != nil {
		n, problems := spec.Result()
		t.Logf("%d exchanges held to the contract", n)
		for _, p := range problems {
			t.Error(p)
		}
	}
}
