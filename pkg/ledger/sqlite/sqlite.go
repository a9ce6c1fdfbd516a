// Package sqlite keeps the ledger in one SQLite file: the default, for one process on one machine.
//
// It runs in WAL mode with synchronous=FULL, so that a committed row survives a power cut (with NORMAL it does not),
// with one connection that writes and several that read.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger/sqlledger"
)

// Options are what an owner may choose.
type Options = sqlledger.Options

//go:embed migrations/*.sql
var migrations embed.FS

// readers is the number of connections for queries outside of write transactions.
const readers = 4

// Open opens the ledger in the file at path, which it creates if need be, and brings its schema up to date. Several
// ledgers may share a file, also from several processes of one machine; who runs the services locks the data directory.
func Open(ctx context.Context, path string, opts Options) (*sqlledger.Ledger, error) {
	pools, err := open(ctx, path)
	if err != nil {
		return nil, fault.Wrap(err, fault.LedgerUnavailable, "open the SQLite ledger")
	}
	return sqlledger.New(pools, dialect, opts), nil
}

func open(ctx context.Context, path string) (sqlledger.Pools, error) {
	var none sqlledger.Pools
	abs, err := filepath.Abs(path)
	if err != nil {
		return none, err
	}
	// The files beside it (-wal, -shm) take its mode.
	file, err := os.OpenFile(abs, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return none, err
	}
	if err := file.Close(); err != nil {
		return none, err
	}
	write, err := sql.Open("sqlite", address(abs, url.Values{"_txlock": {"immediate"}}))
	if err != nil {
		return none, err
	}
	write.SetMaxOpenConns(1)
	if err := migrate(ctx, write); err != nil {
		return none, errors.Join(err, write.Close())
	}
	read, err := sql.Open("sqlite", address(abs, url.Values{"_pragma": {"query_only(1)"}}))
	if err != nil {
		return none, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return sqlledger.Pools{Write: write, Read: read}, nil
}

// address is the connection string: busy_timeout comes first, as the pragmas after it may already have to wait.
func address(path string, more url.Values) string {
	pragmas := []string{
		"busy_timeout(10000)",          // ms
		"journal_mode(WAL)",            //
		"synchronous(FULL)",            // a commit is on the disk when it returns
		"wal_autocheckpoint(8000)",     // pages of 4 KiB: fewer, larger checkpoints
		"journal_size_limit(67108864)", // bytes: a WAL that once grew is cut back
		"cache_size(-65536)",           // KiB: the upper levels of the indices of a million devices
		"temp_store(MEMORY)",
	}
	query := url.Values{"_pragma": append(pragmas, more["_pragma"]...)}
	if lock, ok := more["_txlock"]; ok {
		query["_txlock"] = lock
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}).String()
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	return sqlledger.Migrate(ctx, provider)
}
