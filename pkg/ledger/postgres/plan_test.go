package postgres

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"taxiway.example/pkg/ledger/postgres/pgtest"
	"taxiway.example/pkg/ledger/sqlledger"
	"taxiway.example/pkg/ledger/sqlledger/sqlledgertest"
)

// A step that reads more than it returns: a whole table or index, or everything of a tenant, state or stage.
var (
	scan   = regexp.MustCompile(`(Seq|Index|Index Only|Bitmap Index) Scan.* on \w+`)
	broad  = regexp.MustCompile(`^ *Index Cond: \(\(?(tenant|state|stage) = [^)]*\)$`)
	narrow = regexp.MustCompile(`^ *Index Cond: `)
)

// reads returns the first step of a plan that reads too much.
func reads(plan string) string {
	lines := strings.Split(plan, "\n")
	for i, line := range lines {
		// The newest entries of a tenant come from an index in their order, cut off by LIMIT.
		if !scan.MatchString(line) || strings.Contains(line, "audit_of_tenant") {
			continue
		}
		if next := lines[i+1]; !narrow.MatchString(next) || broad.MatchString(next) {
			return line + "\n" + next
		}
	}
	return ""
}

func TestPlans(t *testing.T) {
	for _, analyzed := range []bool{false, true} {
		t.Run(fmt.Sprintf("analyzed=%v", analyzed), func(t *testing.T) {
			db, err := open(t.Context(), pgtest.Database(t))
			if err != nil {
				t.Fatal(err)
			}
			d, recording := sqlledgertest.Record(dialect)
			l := sqlledger.New(sqlledger.Pools{Write: db, Read: db}, d, Options{})
			t.Cleanup(func() { _ = l.Close() })
			filled := sqlledgertest.Fill(t, l, 10, 500)
			if analyzed {
				if _, err := db.ExecContext(t.Context(), "VACUUM ANALYZE"); err != nil {
					t.Fatal(err)
				}
			}
			sqlledgertest.Plans(t, l, recording, filled, func(t *testing.T, s sqlledgertest.Statement) {
				t.Helper()
				plan := explain(t, db, s)
				if step := reads(plan); step != "" {
					t.Errorf("%s\n%s\n%s", step, s.SQL, plan)
				}
			})
			for _, statement := range []string{
				`SELECT * FROM devices WHERE detail = 'x'`,
				`SELECT * FROM dead_letters WHERE tenant = 'contoso' AND detail = 'y'`,
				`SELECT count(*) FROM devices`,
			} {
				if plan := explain(t, db, sqlledgertest.Statement{SQL: statement}); reads(plan) == "" {
					t.Errorf("not caught: %s", plan)
				}
			}
		})
	}
}

func explain(t *testing.T, db *sql.DB, s sqlledgertest.Statement) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN (COSTS OFF) "+s.SQL, s.Args...)
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
