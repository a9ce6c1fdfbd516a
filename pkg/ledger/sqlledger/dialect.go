package sqlledger

// Dialect is what differs between the databases.
type Dialect struct {
	// Bind turns a statement with the marks "?", "IN ?", "FOR UPDATE" and "FOR UPDATE SKIP LOCKED", and its arguments,
	// into the database's own. The argument of "IN ?" is a []string or an []int64.
	Bind func(statement string, args []any) (string, []any)
	// Rows returns a source of the given rows that can follow INSERT INTO t (…) or stand in WITH m (…) AS (…), with "?"
	// for its arguments.
	Rows func(columns []Column, rows [][]any) (source string, args []any)
	// Again reports whether the error only says that transactions met, so that the whole transaction is to be repeated.
	Again func(error) bool
}

// Column is a column of a bulk statement.
type Column struct {
	Name string
	Kind Kind
}

// Kind is the type of a column; no column is nullable.
type Kind uint8

// The kinds, with the Go types of their values.
const (
	Text    Kind = iota // string
	Integer             // int64
	Bytes               // []byte
)
