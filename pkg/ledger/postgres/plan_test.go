package postgres

import (
	"database/sql"
	"regexp"
	"strings"
	"testing"

	"taxiway.example/pkg/ledger/postgres/pgtest"
	"taxiway.example/pkg/ledger/sqlledger"
	"taxiway.example/pkg/ledger/sqlledger/sqlledgertest"
)

// A step that reads more than it returns: a whole table, or everything of a tenant, state or stage.
var whole = regexp.MustCompile(`(?m)Seq Scan|Index Cond: \(\(?(tenant|state|stage) = [^)]*\)$`)

func TestPlans(t *testing.T) {
	db, err := open(t.Context(), pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	d, recording := sqlledgertest.Record(dialect)
	l := sqlledger.New(sqlledger.Pools{Write: db, Read: db}, d, Options{})
	t.Cleanup(func() { _ = l.Close() })
	filled := sqlledgertest.Fill(t, l, 10, 500)
	if _, err := db.ExecContext(t.Context(), "VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	sqlledgertest.Plans(t, l, recording, filled, func(t *testing.T, s sqlledgertest.Statement) {
		t.Helper()
		plan := explain(t, db, s)
		// The newest entries of a tenant come from an index in their order, cut off by LIMIT.
		if whole.MatchString(plan) && !strings.Contains(plan, "audit_of_tenant") {
			t.Errorf("%s\n%s", s.SQL, plan)
		}
	})
	t.Run("catches a scan", func(t *testing.T) {
		for _, statement := range []string{
			`SELECT * FROM devices WHERE detail = 'x'`,
			`SELECT * FROM devices WHERE tenant = 'contoso' AND detail = 'y'`,
		} {
			if plan := explain(t, db, sqlledgertest.Statement{SQL: statement}); !whole.MatchString(plan) {
				t.Errorf("not caught: %s", plan)
			}
		}
	})
}

// explain returns the plan that is taken when reading a whole table is the last resort: in a test's small tables it would
// often be the best.
func explain(t *testing.T, db *sql.DB, s sqlledgertest.Statement) string {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "SET LOCAL enable_seqscan = off"); err != nil {
		t.Fatal(err)
	}
	rows, err := tx.QueryContext(t.Context(), "EXPLAIN (COSTS OFF) "+s.SQL, s.Args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var step string
		if err := rows.Scan(&step); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(step + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
