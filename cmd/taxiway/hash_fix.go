package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/devicelist"
	"taxiway.example/pkg/device"
)

type fixFlags struct {
	out      format
	prefix   string
	groupTag string
	force    bool
}

func newHashFix() *cobra.Command {
	var flags fixFlags
	c := &cobra.Command{
		Use:   "fix FILE",
		Short: "Write a device list in the strict form that Intune imports",
		Long: `Fix reads a device list (CSV of any dialect, - is standard input) and writes its
good rows as Intune wants them: its header, no quotation marks, ANSI, CRLF, at
most 500 rows a file, hashes with their padding, serials and product keys
repaired from the hash where a spreadsheet damaged them. The files are
FILE-1.csv, FILE-2.csv and so on; they hold hashes, so only their owner may read
them. Rows that are bad or repeat a device are left out and reported.

It exits with 0 when every row was written, 4 when some were left out, 1 when
none was written.`,
		Example: "  taxiway hash fix delivery.csv\n  taxiway hash fix --prefix out/kiosk --group-tag KIOSK delivery.csv",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if flags.prefix == "" {
				flags.prefix = prefixOf(args[0])
			}
			return flags.fix(c, args[0])
		},
	}
	flags.out.register(c)
	c.Flags().StringVar(&flags.prefix, "prefix", "", "what the names of the files begin with (default that of FILE)")
	c.Flags().StringVar(&flags.groupTag, "group-tag", "", "group tag for rows without one")
	c.Flags().BoolVar(&flags.force, "force", false, "overwrite files that exist")
	return c
}

func prefixOf(name string) string {
	if name == "-" {
		return "devices"
	}
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// writtenFile is a file that fix wrote.
type writtenFile struct {
	File string `json:"file"`
	Rows int    `json:"rows"`
}

// fixView is the result of fix as JSON; Rows of the list are those left out or repaired.
type fixView struct {
	Written []writtenFile `json:"written"`
	List    listResult    `json:"list"`
}

func (f *fixFlags) fix(c *cobra.Command, name string) error {
	checker, err := devicelist.New(f.groupTag, time.Now)
	if err != nil {
		return err
	}
	live := c.OutOrStdout()
	if f.out.value == "json" {
		live = io.Discard
	}
	parts := &partWriter{prefix: f.prefix, force: f.force, written: []writtenFile{}}
	var told []rowResult
	list, err := eachRow(c.Context(), checker, c.InOrStdin(), name, func(r *devicelist.Row) error {
		if err := parts.add(r); err != nil {
			return err
		}
		if r.Outcome != device.Accepted || len(r.Warnings) > 0 {
			told = append(told, viewOf(r))
			writeRow(live, r)
		}
		return nil
	})
	if err = errors.Join(err, parts.flush()); err != nil {
		return err
	}
	list.Rows = append(list.Rows, told...)
	list.tail(live)
	v := fixView{Written: parts.written, List: list}
	if err := f.out.print(c.OutOrStdout(), v, v.people); err != nil {
		return err
	}
	return v.failed()
}

func (v fixView) people(w io.Writer) error {
	for _, f := range v.Written {
		if _, err := fmt.Fprintf(w, "%s: %d rows\n", f.File, f.Rows); err != nil {
			return err
		}
	}
	return nil
}

func (v fixView) failed() error {
	left := 0
	for outcome, n := range v.List.Counts {
		if outcome != device.Accepted {
			left += n
		}
	}
	switch {
	case len(v.Written) == 0:
		return &exitError{exitFailed, errors.New("no row is good; nothing was written")}
	case left > 0 || v.List.Failure != nil:
		return &exitError{code: exitPartly}
	}
	return nil
}

// partWriter writes rows to files of limited length.
type partWriter struct {
	prefix  string
	force   bool
	part    devicelist.Part
	written []writtenFile
}

// add takes an accepted row, or turns it down when the form cannot express it.
func (w *partWriter) add(r *devicelist.Row) error {
	if r.Outcome != device.Accepted {
		return nil
	}
	if err := w.part.Add(*r); err != nil {
		*r = r.Refuse(err)
		return nil
	}
	if w.part.Len() == devicelist.MaxRows {
		return w.flush()
	}
	return nil
}

// flush writes what has been gathered to the next file.
func (w *partWriter) flush() error {
	if w.part.Len() == 0 {
		return nil
	}
	name := fmt.Sprintf("%s-%d.csv", w.prefix, len(w.written)+1)
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if w.force {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(name, how, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists; --force overwrites it", name)
	}
	if err != nil {
		return err
	}
	_, err = w.part.WriteTo(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	w.written = append(w.written, writtenFile{name, w.part.Len()})
	w.part = devicelist.Part{}
	return nil
}
