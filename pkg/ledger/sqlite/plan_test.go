package sqlite

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"testing"

	"taxiway.example/pkg/ledger/sqlledger"
	"taxiway.example/pkg/ledger/sqlledger/sqlledgertest"
)

func recorded(tb testing.TB) (*sqlledger.Ledger, sqlledger.Pools, *sqlledgertest.Recording) {
	tb.Helper()
	pools, err := open(tb.Context(), filepath.Join(tb.TempDir(), "ledger.db"))
	if err != nil {
		tb.Fatal(err)
	}
	d, recording := sqlledgertest.Record(dialect)
	l := sqlledger.New(pools, d, Options{})
	tb.Cleanup(func() { _ = l.Close() })
	return l, pools, recording
}

// A step that reads more than it returns: a whole table or index, or everything of a tenant, state or stage. What a
// statement brings itself (lists, rows to insert) is read whole.
var (
	whole = regexp.MustCompile(`^SCAN |\((tenant|state|stage)=\?\)$`)
	own   = regexp.MustCompile(`^SCAN (m|json_each .*|CONSTANT ROW|\d+ CONSTANT ROWS|\d+-ROW VALUES CLAUSE)$`)
	few   = regexp.MustCompile(`^SEARCH audit USING INDEX audit_of_tenant `) // ordered, and cut off by LIMIT
)

func TestPlans(t *testing.T) {
	l, pools, recording := recorded(t)
	filled := sqlledgertest.Fill(t, l, 10, 500)
	sqlledgertest.Plans(t, l, recording, filled, func(t *testing.T, s sqlledgertest.Statement) {
		t.Helper()
		for _, step := range explain(t, pools.Read, s) {
			if whole.MatchString(step) && !own.MatchString(step) && !few.MatchString(step) {
				t.Errorf("%s\n%s", step, s.SQL)
			}
		}
	})
}

func TestPlansCatchesAScan(t *testing.T) {
	_, pools, _ := recorded(t)
	for _, statement := range []string{
		`SELECT * FROM devices WHERE detail = 'x'`,
		`SELECT count(*) FROM devices`,
		`SELECT * FROM devices WHERE tenant = 'x' AND detail = 'y'`,
	} {
		caught := false
		for _, step := range explain(t, pools.Read, sqlledgertest.Statement{SQL: statement}) {
			caught = caught || whole.MatchString(step) && !own.MatchString(step)
		}
		if !caught {
			t.Errorf("not caught: %s", statement)
		}
	}
}

func explain(t *testing.T, db *sql.DB, s sqlledgertest.Statement) (steps []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.SQL, s.Args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
