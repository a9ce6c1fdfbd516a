package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
)

// format is the -o flag: a table for people or JSON for programs.
type format string

func (f *format) register(c *cobra.Command) {
	*f = "table"
	c.Flags().VarP(f, "output", "o", "table or json")
}

// String returns the format's name.
func (f *format) String() string { return string(*f) }

// Set accepts table and json.
func (f *format) Set(s string) error {
	if s != "table" && s != "json" {
		return fmt.Errorf("want table or json, not %q", s)
	}
	*f = format(s)
	return nil
}

// Type names the flag's values in the help page.
func (f *format) Type() string { return "format" }

// print writes v as JSON, or whatever people writes for people.
func (f *format) print(w io.Writer, v any, people func(io.Writer) error) error {
	if *f == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
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
	t.AppendHeader(table.Row(header))
	return t
}
