package sqlite

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
	"taxiway.example/pkg/ledger/sqlledger"
	"taxiway.example/pkg/ledger/sqlledger/sqlledgertest"
)

func opened(t *testing.T, path string, opts Options) *sqlledger.Ledger {
	t.Helper()
	l, err := Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestDurability(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a ledger, 100% ?x#y.db")
	pools, err := open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer pools.Read.Close()
	defer pools.Write.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000"} {
		for name, db := range map[string]*sql.DB{"read": pools.Read, "write": pools.Write} {
			var got string
			if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s = %s, %v; want %s", name, pragma, got, err, want)
			}
		}
	}
	if _, err := pools.Read.ExecContext(t.Context(), "DELETE FROM devices"); err == nil {
		t.Error("the read pool writes")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestTrace(t *testing.T) {
	var trace []string
	l := opened(
		t,
		filepath.Join(t.TempDir(), "l.db"),
		Options{Trace: func(op, phase string) { trace = append(trace, op+" "+phase) }},
	)
	batch := sqlledgertest.Open(t, l)
	if _, err := l.Accept(t.Context(), batch, []intake.Candidate{ledgertest.Candidate(1, 1)}, ledger.Terms{Due: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(t.Context(), ledger.Batch{ID: "x"}, nil, ledger.Terms{Due: time.Now()}); fault.CodeOf(
		err,
	) != fault.RequestNotFound {
		t.Fatal(err)
	}
	if _, err := l.Batch(t.Context(), batch.Tenant, batch.ID); err != nil {
		t.Fatal(err)
	}
	want := []string{"open_batch commit", "open_batch committed", "accept commit", "accept committed"}
	if !slices.Equal(trace, want) {
		t.Errorf("%q", trace)
	}
}

// flip is a codec that anybody can tell from plain.
type flip struct{}

func (flip) Seal(_ string, plain []byte) ([]byte, error) { return flipped(plain), nil }

func (flip) Open(tenant string, stored []byte) ([]byte, error) {
	if tenant != "contoso" {
		return nil, errors.New("another tenant's key")
	}
	return flipped(stored), nil
}

func flipped(b []byte) []byte {
	out := slices.Clone(b)
	for i := range out {
		out[i] ^= 0xff
	}
	return out
}

func TestCapturesAreSealed(t *testing.T) {
	dir := t.TempDir()
	l := opened(t, filepath.Join(dir, "l.db"), Options{Codec: flip{}})
	c := ledgertest.Candidate(1, 1)
	c.Canonical = []byte("what nobody may find on the disk")
	receipts, err := l.Accept(t.Context(), sqlledgertest.Open(t, l), []intake.Candidate{c}, ledger.Terms{Due: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	captures, err := l.Captures(t.Context(), "contoso", []string{receipts[0].Device})
	if err != nil || !bytes.Equal(captures[receipts[0].Device], c.Canonical) {
		t.Errorf("%q, %v", captures, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "l.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil || bytes.Contains(content, c.Canonical) {
			t.Errorf("%s holds the capture, %v", file, err)
		}
	}
}

func TestNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	pools, err := open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pools.Write.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	_ = pools.Read.Close()
	_ = pools.Write.Close()
	_, err = Open(t.Context(), path, Options{})
	if !errors.Is(err, sqlledger.ErrNewerSchema) || fault.CodeOf(err) != fault.LedgerUnavailable {
		t.Errorf("%v", err)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "missing", "l.db"), junk} {
		if _, err := Open(t.Context(), path, Options{}); fault.CodeOf(err) != fault.LedgerUnavailable {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A transaction that met another one is repeated from its beginning, a few times.
func TestRepeats(t *testing.T) {
	pools, err := open(t.Context(), filepath.Join(t.TempDir(), "l.db"))
	if err != nil {
		t.Fatal(err)
	}
	failures := 0
	tried := 0
	d := dialect
	d.Again = func(error) bool { return true }
	d.Bind = func(statement string, args []any) (string, []any) {
		if tried++; tried <= failures {
			return "SELECT no sense", nil
		}
		return bind(statement, args)
	}
	l := sqlledger.New(pools, d, Options{})
	t.Cleanup(func() { _ = l.Close() })
	for _, test := range []struct {
		failures int
		code     fault.Code
	}{{3, fault.CodeUnknown}, {100, fault.LedgerUnavailable}} {
		failures = test.failures
		tried = 0
		if err := l.Health(t.Context()); fault.CodeOf(err) != test.code {
			t.Errorf("%d failures: %v", test.failures, err)
		}
		if tried > 20 {
			t.Errorf("tried %d times", tried)
		}
	}
}

// Errors of the driver must not carry what the ledger keeps secret.
func TestErrorsTellNothing(t *testing.T) {
	pools, err := open(t.Context(), filepath.Join(t.TempDir(), "l.db"))
	if err != nil {
		t.Fatal(err)
	}
	l := sqlledger.New(pools, dialect, Options{})
	t.Cleanup(func() { _ = l.Close() })
	batch := sqlledgertest.Open(t, l)
	if _, err := pools.Write.ExecContext(t.Context(), `CREATE UNIQUE INDEX spoil ON devices (manufacturer)`); err != nil {
		t.Fatal(err)
	}
	rows := []intake.Candidate{ledgertest.Candidate(1, 1), ledgertest.Candidate(2, 2)}
	_, err = l.Accept(t.Context(), batch, rows, ledger.Terms{Due: time.Now()})
	if fault.CodeOf(err) != fault.LedgerUnavailable {
		t.Fatal(err)
	}
	for _, c := range rows {
		for _, secret := range []string{c.Capture.Serial.Reveal(), string(c.Key), c.ProductKeyID.Reveal(), string(c.Canonical)} {
			if strings.Contains(fmt.Sprintf("%+v", err), secret) {
				t.Errorf("%v holds %q", err, secret)
			}
		}
	}
	found, err := l.BySerial(t.Context(), "contoso", device.NewSerial(ledgertest.Serial(1).Reveal()))
	if err != nil || len(found) != 0 {
		t.Errorf("%d devices of a transaction that failed, %v", len(found), err)
	}
}
