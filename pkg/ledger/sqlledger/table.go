package sqlledger

import (
	"context"
	"database/sql"
	"slices"
	"strings"
)

// bulk is the number of rows in one statement: the widest table stays below SQLite's limit of 32,766 parameters.
const bulk = 500

// table maps a struct to a table, column by column, once for all statements.
type table[T any] struct {
	name   string
	fields []field[T]
}

type field[T any] struct {
	Column
	of func(*T) cell
}

func (t table[T]) columns() []Column {
	columns := make([]Column, len(t.fields))
	for i, f := range t.fields {
		columns[i] = f.Column
	}
	return columns
}

// only returns the table with some of its columns, in the order named.
func (t table[T]) only(names ...string) table[T] {
	some := table[T]{name: t.name}
	for _, name := range names {
		i := slices.IndexFunc(t.fields, func(f field[T]) bool { return f.Name == name })
		some.fields = append(some.fields, t.fields[i])
	}
	return some
}

// list returns the columns' names for a SELECT or an INSERT.
func (t table[T]) list() string {
	names := make([]string, len(t.fields))
	for i, f := range t.fields {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

// find returns the rows that the clauses after FROM select.
func (t table[T]) find(ctx context.Context, c conn, clauses string, args ...any) ([]*T, error) {
	return query(ctx, c, t.scan, t.selects(clauses), args...)
}

// selects returns a whole SELECT, for statements that need more than find.
func (t table[T]) selects(clauses string) string {
	return "SELECT " + t.list() + " FROM " + t.name + " " + clauses
}

func (t table[T]) scan(rows *sql.Rows) (*T, error) {
	row := new(T)
	cells := make([]any, len(t.fields))
	for i, f := range t.fields {
		cells[i] = scanner{f.of(row)}
	}
	return row, rows.Scan(cells...)
}

// insert stores the rows; onConflict may be empty.
func (t table[T]) insert(ctx context.Context, c conn, rows []*T, onConflict string) error {
	return t.each(ctx, c, rows, func(source string) string {
		return "INSERT INTO " + t.name + " (" + t.list() + ") " + source + " " + onConflict
	})
}

// update writes the columns named to the rows that have the same value in the table's first column.
func (t table[T]) update(ctx context.Context, c conn, rows []*T, names ...string) error {
	key := t.fields[0].Name
	some := t.only(append([]string{key}, names...)...)
	sets := make([]string, len(names))
	for i, name := range names {
		sets[i] = name + " = m." + name
	}
	return some.each(ctx, c, rows, func(source string) string {
		return "WITH m (" + some.list() + ") AS (" + source + ") UPDATE " + t.name + " SET " +
			strings.Join(sets, ", ") + " FROM m WHERE " + t.name + "." + key + " = m." + key
	})
}

// each runs the statement around the rows as a source, in portions.
func (t table[T]) each(ctx context.Context, c conn, rows []*T, statement func(source string) string) error {
	for part := range slices.Chunk(rows, bulk) {
		values := make([][]any, len(part))
		for i, row := range part {
			values[i] = make([]any, len(t.fields))
			for j, f := range t.fields {
				values[i][j] = f.of(row).value()
			}
		}
		source, args := c.dialect.Rows(t.columns(), values)
		if _, err := c.exec(ctx, statement(source), args...); err != nil {
			return err
		}
	}
	return nil
}
