package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
)

// format is the -o flag: a table for people or JSON for programs; some commands know more.
type format struct {
	value string
	known []string
}

func (f *format) register(c *cobra.Command, more ...string) {
	f.value = "table"
	f.known = append([]string{"table", "json"}, more...)
	c.Flags().VarP(f, "output", "o", strings.Join(f.known, ", "))
}

// String returns the format's name.
func (f *format) String() string { return f.value }

// Set accepts the formats that the command knows.
func (f *format) Set(s string) error {
	if !slices.Contains(f.known, s) {
		return fmt.Errorf("want one of %s", strings.Join(f.known, ", "))
	}
	f.value = s
	return nil
}

// Type names the flag's values in the help page.
func (f *format) Type() string { return "format" }

// print writes v as JSON, or whatever people writes for people.
func (f *format) print(w io.Writer, v any, people func(io.Writer) error) error {
	if f.value == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	return people(w)
}

// newTable returns a plain table with a header that writes to w.
func newTable(w io.Writer, header ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.SuppressTrailingSpaces()
	t.SuppressEmptyColumns()
	t.AppendHeader(table.Row(header))
	return t
}
