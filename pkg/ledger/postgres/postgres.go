// Package postgres keeps the ledger in PostgreSQL (15 or later): for services in several processes.
//
// A commit is on the server's disk when it returns (synchronous_commit=on, unless the URL asks for more). Replicas meet
// in row locks and unique indices; a transaction that loses is repeated.
package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger/sqlledger"
)

// Options are what an owner may choose.
type Options = sqlledger.Options

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// defaultConns is the number of connections of one process; the URL's pool_max_conns changes it.
	defaultConns = 10
	// defaultConnect is how long one of several hosts may keep silent before the next is tried, well within the time of
	// a call; the URL's connect_timeout changes it.
	defaultConnect = 5 * time.Second
	// lifetime is how long a connection is kept, so that none stays for good with a server that is not the right one
	// any more.
	lifetime = 5 * time.Minute
)

// Open opens the ledger in the database at the URL (or keyword/value string) and brings its schema up to date. Beside
// what libpq knows, the URL takes pool_max_conns. Of several hosts the first is used that takes writes.
func Open(ctx context.Context, url string, opts Options) (*sqlledger.Ledger, error) {
	db, err := open(ctx, url)
	if err != nil {
		return nil, fault.Wrap(err, fault.LedgerUnavailable, "open the PostgreSQL ledger")
	}
	return sqlledger.New(sqlledger.Pools{Write: db, Read: db}, dialect, opts), nil
}

func open(ctx context.Context, url string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	conns, err := settings(config)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*config)
	db.SetConnMaxLifetime(lifetime)
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	// Only now: who migrates needs a second connection beside the one that holds the lock.
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// settings fills in what the URL leaves open and returns the size of the pool.
func settings(config *pgx.ConnConfig) (conns int, err error) {
	for name, value := range map[string]string{
		"application_name":   "taxiway",
		"synchronous_commit": "on",
		// A plan made while a table was empty must not outlive that: always plan for the values at hand.
		"plan_cache_mode": "force_custom_plan",
		// Nor may a table that was never analyzed be read whole: there is an index for everything.
		"enable_seqscan": "off",
		// Statements are short and many.
		"max_parallel_workers_per_gather": "0",
		// A process that froze in a transaction must not keep its locks.
		"idle_in_transaction_session_timeout": "60s",
	} {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = value
		}
	}
	failover(config)
	asked, ok := config.RuntimeParams["pool_max_conns"]
	if !ok {
		return defaultConns, nil
	}
	delete(config.RuntimeParams, "pool_max_conns")
	if conns, err = strconv.Atoi(asked); err != nil || conns < 1 {
		return 0, fmt.Errorf("pool_max_conns %q is not a number above 0", asked)
	}
	return conns, nil
}

// failover sees that of several hosts the one is found that answers and takes writes.
func failover(config *pgx.ConnConfig) {
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = defaultConnect
		config.DialFunc = (&net.Dialer{Timeout: defaultConnect}).DialContext // as pgx does for a connect_timeout of the URL
	}
	if config.ValidateConnect == nil { // target_session_attrs is not given, or "any", which a ledger has no use for
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}

// migrationLock is the advisory lock that replicas take to migrate one after the other: "taxiway" in ASCII.
const migrationLock int64 = 0x74617869776179

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // gives the connection back to the pool
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
		return fmt.Errorf("wait for other migrations: %w", err)
	}
	err = sqlledger.Migrate(ctx, provider)
	_, unlock := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, migrationLock)
	return errors.Join(err, unlock)
}
