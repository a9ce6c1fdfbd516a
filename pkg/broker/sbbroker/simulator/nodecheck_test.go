package simulator_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/slowness"
)

// TestNodeClient runs Microsoft's client for Node, an independent reading of the
// wire contract, against the simulator. It needs Node 20, npm and, the first time,
// a package registry: that is why it has to be asked for.
func TestNodeClient(t *testing.T) {
	if os.Getenv("TAXIWAY_NODE_CHECK") != "1" {
		t.Skip(
			"SKIPPED: set TAXIWAY_NODE_CHECK=1 to run Microsoft's Node client against the simulator (needs node and npm)",
		)
	}
	ctx, cancel := context.WithTimeout(t.Context(), slowness.Stretch(5*time.Minute))
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = "nodecheck"
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	s := newServer(t, topology(), simulator.WithKey("node-check"))
	node := exec.CommandContext(ctx, "node", "check.js")
	node.Dir = "nodecheck"
	node.Env = append(os.Environ(), "SERVICEBUS_CONNECTION_STRING="+s.ConnectionString())
	out, err := node.CombinedOutput()
	t.Logf("node check.js:\n%s", out)
	if err != nil {
		t.Error(err)
	}
}
