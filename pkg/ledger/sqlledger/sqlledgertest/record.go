// Package sqlledgertest holds what the tests of all SQL ledgers share: a record of the statements that the core issues,
// the check that they are answered from indices, and the benchmark of taking rows in beside its floor.
package sqlledgertest

import (
	"slices"
	"sync"

	"taxiway.example/pkg/ledger/sqlledger"
)

// Statement is a statement as the database gets it.
type Statement struct {
	SQL  string
	Args []any
}

// Recording collects statements.
type Recording struct {
	mu  sync.Mutex
	all []Statement
}

// Record returns the dialect with a recording of everything it binds.
func Record(d sqlledger.Dialect) (sqlledger.Dialect, *Recording) {
	r := &Recording{}
	bind := d.Bind
	d.Bind = func(statement string, args []any) (string, []any) {
		statement, args = bind(statement, args)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all = append(r.all, Statement{statement, slices.Clone(args)})
		return statement, args
	}
	return d, r
}

// Take returns what was recorded since the last Take.
func (r *Recording) Take() []Statement {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	return all
}
