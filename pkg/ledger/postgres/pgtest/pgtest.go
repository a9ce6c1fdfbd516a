// Package pgtest gives tests a real PostgreSQL: one server for the test process, one database for each test. A machine
// without PostgreSQL fails the test; it does not skip it.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/ledger/postgres/pgcluster"
)

// server is the process's cluster, started by the first who needs it and stopped by Main.
var server struct {
	once    sync.Once
	cluster *pgcluster.Cluster
	err     error
	main    atomic.Bool
	last    atomic.Int64
}

// Main runs the tests of a package and stops the server afterwards. Call it in TestMain; it exits.
func Main(m *testing.M) {
	server.main.Store(true)
	code := m.Run()
	server.once.Do(func() {}) // nobody starts it any more
	if server.cluster != nil {
		if err := server.cluster.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Database returns the URL of an empty database, which is gone when the test ends. It is a schema of its own in one
// database, as making a whole database takes PostgreSQL some hundred times as long.
func Database(tb testing.TB) string {
	tb.Helper()
	if !server.main.Load() {
		tb.Fatal("pgtest: the package needs func TestMain(m *testing.M) { pgtest.Main(m) }")
	}
	server.once.Do(func() {
		ctx, cancel := awaittest.Context(context.Background())
		defer cancel()
		server.cluster, server.err = pgcluster.Start(ctx, pgcluster.Options{Volatile: true})
	})
	if server.err != nil {
		tb.Fatal(server.err)
	}
	name := fmt.Sprintf("test_%d", server.last.Add(1))
	execute(tb, "CREATE SCHEMA "+name)
	tb.Cleanup(func() { execute(tb, "DROP SCHEMA "+name+" CASCADE") })
	return server.cluster.URL("postgres") + "&search_path=" + name
}

func execute(tb testing.TB, statement string) {
	tb.Helper()
	ctx, cancel := awaittest.Context(context.Background())
	defer cancel()
	conn, err := pgx.Connect(ctx, server.cluster.URL("postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	_, err = conn.Exec(ctx, statement)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		tb.Error(err)
	}
}
