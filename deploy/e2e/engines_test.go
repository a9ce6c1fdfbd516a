package e2e

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"taxiway.example/pkg/ledger/postgres/pgtest"
)

// engine is a ledger and a broker that the suite runs on.
type engine struct {
	name  string
	open  func(*testing.T) site
	suits []string // the suites that run on it
}

// site is where a ledger and a broker are.
type site struct {
	ledger, broker string
	store          string // where the broker keeps its messages; "" is in memory
	// purge makes a broker of its own process forget every message; nil when the broker lives and dies with the
	// pipeline.
	purge func(context.Context) error
}

// The suites.
const (
	suiteWay         = "way"
	suiteCrash       = "crash"        // every boundary
	suiteCrashLedger = "crash-ledger" // the boundaries of the ledger
	suiteCrashBroker = "crash-broker" // those of the broker
	suiteStorm       = "storm"
	suiteRedelivery  = "redelivery"
	suitePurge       = "purge"
	suiteReplicas    = "replicas"
	suiteChaos       = "chaos"
	suiteTurns       = "turns" // tests that run on one engine each take turns over these
)

// engines says what runs where. A suite that asks about ledger and broker runs on each kind of ledger and on each kind
// of broker, not on each pair of them.
var engines = []engine{
	{"sqlite+nats.embedded", pair(sqliteFile, natsEmbedded), []string{suiteWay, suiteCrash, suiteStorm, suiteChaos, suiteTurns}},
	{"sqlite+nats", pair(sqliteFile, natsServer), []string{suiteRedelivery, suitePurge}},
	{"sqlite+servicebus", pair(sqliteFile, serviceBus), []string{suiteCrashBroker, suiteRedelivery, suiteTurns}},
	{"postgres+nats", pair(postgres, natsServer), []string{suiteWay, suiteCrashLedger, suiteStorm, suiteRedelivery, suiteReplicas, suiteTurns}},
	{"postgres+servicebus", pair(postgres, serviceBus), []string{suiteWay, suiteStorm, suitePurge, suiteReplicas, suiteChaos}},
}

// onEngines runs a suite on the engines it is meant for, side by side.
func onEngines(t *testing.T, suite string, test func(*testing.T, engine)) {
	t.Helper()
	t.Parallel()
	ran := 0
	for _, e := range engines {
		if !slices.Contains(e.suits, suite) {
			continue
		}
		ran++
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
	if ran == 0 {
		t.Fatalf("no engine runs the suite %q", suite)
	}
}

// takingTurns are the engines of the tests that run on one engine each.
func takingTurns() []engine {
	return slices.DeleteFunc(
		slices.Clone(engines),
		func(e engine) bool { return !slices.Contains(e.suits, suiteTurns) },
	)
}

// turn picks the engine of the n-th of those tests.
func turn(n int) engine {
	all := takingTurns()
	return all[n%len(all)]
}

func pair(ledger func(*testing.T) string, broker func(*testing.T) site) func(*testing.T) site {
	return func(t *testing.T) site {
		t.Helper()
		s := broker(t)
		s.ledger = ledger(t)
		return s
	}
}

func sqliteFile(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "ledger.db") }

func postgres(t *testing.T) string { return pgtest.Database(t) }
