package postgres

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"taxiway.example/pkg/ledger/sqlledger"
)

var dialect = sqlledger.Dialect{Bind: bind, Rows: rows, Again: again}

// bind numbers the parameters; a list is an array.
func bind(statement string, args []any) (string, []any) {
	var b strings.Builder
	b.Grow(len(statement) + 4*len(args))
	for n := 1; ; n++ {
		before, after, found := strings.Cut(statement, "?")
		if !found {
			b.WriteString(statement)
			return b.String(), args
		}
		head, list := strings.CutSuffix(before, "IN ")
		b.WriteString(head)
		if list {
			b.WriteString("= ANY($" + strconv.Itoa(n) + ")")
		} else {
			b.WriteString("$" + strconv.Itoa(n))
		}
		statement = after
	}
}

// rows is one array a column: the statement is the same for any number of rows.
func rows(columns []sqlledger.Column, rows [][]any) (string, []any) {
	casts := make([]string, len(columns))
	args := make([]any, len(columns))
	for i, c := range columns {
		switch c.Kind {
		case sqlledger.Text:
			casts[i] = "?::text[]"
			args[i] = column[string](rows, i)
		case sqlledger.Integer:
			casts[i] = "?::bigint[]"
			args[i] = column[int64](rows, i)
		case sqlledger.Bytes:
			casts[i] = "?::bytea[]"
			args[i] = column[[]byte](rows, i)
		}
	}
	return "SELECT * FROM unnest(" + strings.Join(casts, ", ") + ")", args
}

func column[T any](rows [][]any, i int) []T {
	values := make([]T, len(rows))
	for j, row := range rows {
		values[j] = row[i].(T) // a column's kind and its cells are written side by side in sqlledger
	}
	return values
}

// SQLSTATE codes that only say that two transactions met (PostgreSQL, appendix A).
var met = []string{
	"40001", // serialization_failure
	"40P01", // deadlock_detected
	"23505", // unique_violation: somebody inserted the same row first; the repeated transaction finds it
}

func again(err error) bool {
	failed, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(met, failed.Code)
}
