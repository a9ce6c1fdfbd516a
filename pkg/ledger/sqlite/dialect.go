package sqlite

import (
	"encoding/json"
	"slices"
	"strings"

	"taxiway.example/pkg/ledger/sqlledger"
)

var dialect = sqlledger.Dialect{
	Bind: bind,
	Rows: rows,
	// There is one writer, and it waits its turn when it begins: transactions never meet.
	Again: func(error) bool { return false },
}

// A list parameter is a JSON array; there are no row locks, as there is one writer.
var marks = strings.NewReplacer(
	"IN ?", "IN (SELECT value FROM json_each(?))",
	"FOR UPDATE SKIP LOCKED", "",
	"FOR UPDATE", "",
)

func bind(statement string, args []any) (string, []any) {
	var bound []any
	for i, arg := range args {
		var list []byte
		switch arg := arg.(type) {
		case []string:
			list, _ = json.Marshal(append([]string{}, arg...)) // strings always marshal; nil becomes []
		case []int64:
			list, _ = json.Marshal(append([]int64{}, arg...))
		default:
			continue
		}
		if bound == nil {
			bound = slices.Clone(args)
		}
		bound[i] = string(list)
	}
	if bound == nil {
		bound = args
	}
	return marks.Replace(statement), bound
}

func rows(columns []sqlledger.Column, rows [][]any) (string, []any) {
	one := "(" + strings.Repeat("?, ", len(columns)-1) + "?)"
	return "VALUES " + strings.Repeat(one+", ", len(rows)-1) + one, slices.Concat(rows...)
}
