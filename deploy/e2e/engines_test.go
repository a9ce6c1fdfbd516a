package e2e

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker/natsbroker"
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
	store          string // where the broker keeps its messages
	// purge makes a broker of its own process forget every message; nil when the broker lives and dies with the pipeline.
	purge func(context.Context) error
}

// The suites. Those that ask about the ledger and the broker alike run on each pair that differs in what they ask; those that
// ask about the pipeline take turns over all pairs.
const (
	suiteWay        = "way"
	suiteCrash      = "crash"        // every boundary
	suiteCrashOwn   = "crash-ledger" // the boundaries of the ledger
	suiteStorm      = "storm"
	suiteRedelivery = "redelivery"
	suitePurge      = "purge"
	suiteChaos      = "chaos"
	suiteReplicas   = "replicas"
	suiteTurns      = "turns" // takes its turn in the others
)

var engines = []engine{
	{"sqlite+nats.embedded", pair(sqliteFile, natsEmbedded), []string{suiteWay, suiteCrash, suiteStorm, suiteChaos, suiteTurns}},
	{"sqlite+nats", pair(sqliteFile, natsServer), []string{suiteRedelivery, suitePurge}},
	{"postgres+nats", pair(postgres, natsServer), []string{suiteWay, suiteCrashOwn, suiteStorm, suiteRedelivery, suitePurge, suiteChaos, suiteReplicas, suiteTurns}},
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

// turn picks an engine for the n-th test of those that run on one engine each.
func turn(n int) engine {
	var all []engine
	for _, e := range engines {
		if slices.Contains(e.suits, suiteTurns) {
			all = append(all, e)
		}
	}
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

func natsEmbedded(t *testing.T) site {
	store := filepath.Join(t.TempDir(), "broker")
	return site{broker: "nats+embedded:" + store, store: store}
}

// natsServer is a server in this process for pipelines in this and in other processes.
func natsServer(t *testing.T) site {
	t.Helper()
	store := t.TempDir()
	srv, err := natsbroker.Embedded(store, natsbroker.ServerOptions{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("nats-server: %v", err)
		}
	})
	return site{broker: srv.URL(), store: store, purge: func(ctx context.Context) error { return purgeStreams(ctx, srv) }}
}

// purgeStreams empties all streams.
func purgeStreams(ctx context.Context, srv *natsbroker.Server) error {
	nc, err := srv.Connect(ctx)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	names := js.StreamNames(ctx)
	var all []string
	for name := range names.Name() {
		all = append(all, name)
	}
	if err := names.Err(); err != nil || len(all) == 0 {
		return errors.Join(errors.New("no stream to purge: "+strings.Join(all, " ")), err)
	}
	for _, name := range all {
		stream, err := js.Stream(ctx, name)
		if err == nil {
			err = stream.Purge(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
