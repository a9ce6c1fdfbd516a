package sbbroker

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"taxiway.example/pkg/broker/brokertest"
)

// suiteTypes are the message types that the suite publishes: a namespace has the topics it was set up with.
var suiteTypes = []string{
	"devices",
	"devices.collected",
	"devices.collected.v1",
	"submissions.due.v1",
	"devices.ready.v1",
}

// TestContract holds the adapter to the seam's contract: on the namespace of SERVICEBUS_CONNECTION_STRING (a policy
// with Manage), or on the simulator.
func TestContract(t *testing.T) {
	t.Parallel()
	secret := os.Getenv("SERVICEBUS_CONNECTION_STRING")
	target := "the namespace of SERVICEBUS_CONNECTION_STRING"
	if secret == "" {
		target = "the simulator, because SERVICEBUS_CONNECTION_STRING is not set: this says nothing about Azure itself"
	}
	var results table
	t.Run("suite", func(t *testing.T) { // ends when all its parallel tests have ended
		brokertest.Run(t, func(t *testing.T) brokertest.Harness {
			t.Helper()
			results.watch(t)
			if secret != "" {
				return newAzure(t, secret, suiteTypes...).harness()
			}
			return newSimulated(t).backend(t, suiteTypes...).harness()
		})
	})
	t.Logf("The contract on %s:\n%s", target, &results)
}

// table is what became of each test.
type table struct {
	mu    sync.Mutex
	lines []string
}

// watch writes a line when the test ends. It comes first in the test, so that its clean-up comes last.
func (r *table) watch(t *testing.T) {
	t.Helper()
	began := time.Now()
	t.Cleanup(func() {
		result := "ok"
		switch {
		case t.Failed():
			result = "FAILED"
		case t.Skipped():
			result = "skipped"
		}
		name := strings.ReplaceAll(t.Name()[strings.LastIndexByte(t.Name(), '/')+1:], "_", " ")
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lines = append(
			r.lines,
			fmt.Sprintf("%s\t%s\t%s\n", name, result, time.Since(began).Round(10*time.Millisecond)),
		)
	})
}

func (r *table) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.lines)
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, l := range r.lines {
		fmt.Fprint(w, l)
	}
	_ = w.Flush() // to a strings.Builder
	return out.String()
}
