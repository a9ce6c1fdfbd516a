// Package validate checks one row: its own cells, the cells against the hash beside them, and both against the tenant's
// policy. Errors stop a row, warnings travel with it; each has a stable code of the fault catalogue and names a column,
// never a value.
//
// The shape of a cell is a struct tag on one validator instance; what it means is a table of named rules. Both are
// plain functions without clock, input or output.
package validate
