package postgres

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
	"taxiway.example/pkg/ledger/postgres/pgtest"
	"taxiway.example/pkg/ledger/sqlledger"
	"taxiway.example/pkg/ledger/sqlledger/sqlledgertest"
)

func opened(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSettings(t *testing.T) {
	url := pgtest.Database(t)
	show := func(db *sql.DB, setting string) (value string) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), "SHOW "+setting).Scan(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	plain := opened(t, url)
	if got := show(plain, "synchronous_commit"); got != "on" {
		t.Errorf("synchronous_commit = %s", got)
	}
	if got := plain.Stats().MaxOpenConnections; got != defaultConns {
		t.Errorf("%d connections", got)
	}
	chosen := opened(t, url+"&pool_max_conns=3&synchronous_commit=remote_apply&application_name=x")
	if got := show(chosen, "synchronous_commit") + " " + show(chosen, "application_name"); got != "remote_apply x" {
		t.Errorf("%s", got)
	}
	if got := chosen.Stats().MaxOpenConnections; got != 3 {
		t.Errorf("%d connections", got)
	}
}

func TestOpenFails(t *testing.T) {
	url := pgtest.Database(t)
	for _, bad := range []string{"postgres://%", url + "&pool_max_conns=none", url + "&pool_max_conns=0", strings.Replace(url, "/postgres?", "/missing?", 1)} {
		if _, err := Open(t.Context(), bad, Options{}); fault.CodeOf(err) != fault.LedgerUnavailable {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := opened(t, url).ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), url, Options{}); !errors.Is(err, sqlledger.ErrNewerSchema) {
		t.Errorf("%v", err)
	}
}

// Replicas that start together on an empty database migrate it once.
func TestOpenAtOnce(t *testing.T) {
	url := pgtest.Database(t)
	errs := make([]error, 6)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			l, err := Open(t.Context(), url, Options{})
			if err == nil {
				err = errors.Join(l.Health(t.Context()), l.Close())
			}
			errs[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

// Two replicas with pools of their own take in the same devices, and contradicting ones.
func TestReplicas(t *testing.T) {
	url := pgtest.Database(t)
	const rows = 60
	count := make([]map[device.RowOutcome]int, 2)
	var wg sync.WaitGroup
	for i := range count {
		l, err := Open(t.Context(), url, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		batch := sqlledgertest.Open(t, l)
		wg.Go(func() {
			count[i] = map[device.RowOutcome]int{}
			for n := range rows {
				c := ledgertest.Identifiers(n+1, n%10+1+100*(n%2)*i, 0, n%10+1)
				receipts, err := l.Accept(t.Context(), batch, []intake.Candidate{c}, ledger.Terms{Due: time.Now()})
				if err != nil {
					t.Error(err)
					return
				}
				count[i][receipts[0].Outcome]++
			}
		})
	}
	wg.Wait()
	if accepted := count[0][device.Accepted] + count[1][device.Accepted]; accepted != 10 {
		t.Errorf("%d devices accepted of 10: %v", accepted, count)
	}
}

func TestErrorsTellNothing(t *testing.T) {
	url := pgtest.Database(t)
	db := opened(t, url)
	l := sqlledger.New(sqlledger.Pools{Write: db, Read: db}, dialect, Options{})
	batch := sqlledgertest.Open(t, l)
	if _, err := db.ExecContext(t.Context(), `CREATE UNIQUE INDEX spoil ON devices (serial_fold, manufacturer); INSERT INTO tenants VALUES ('x')`); err != nil {
		t.Fatal(err)
	}
	same := ledgertest.Identifiers(2, 7, 7, 1)
	same.Capture.Serial = ledgertest.Serial(1)
	same.Capture.Manufacturer = "Contoso"
	rows := []intake.Candidate{ledgertest.Candidate(1, 1), same} // a conflict, which the index refuses
	_, err := l.Accept(t.Context(), batch, rows, ledger.Terms{Due: time.Now()})
	if fault.CodeOf(err) != fault.LedgerUnavailable {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v", err); strings.Contains(
		strings.ToLower(text),
		strings.ToLower(same.Capture.Serial.Reveal()),
	) {
		t.Errorf("%s", text)
	}
}
