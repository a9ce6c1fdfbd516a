package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/devicelist"
)

type checkFlags struct {
	out      format
	problems bool
	groupTag string
}

func newHashCheck() *cobra.Command {
	var flags checkFlags
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check every row of a device list, without a server",
		Long: `Check reads device lists (CSV of any dialect, - is standard input) and says of
every row what submit would say, by the default policy: where it stands, its
result with a stable code, and what to do. Devices are recognised by what is
inside their hashes, within a file and across all files given. Nothing leaves
this machine.

It exits with 1 when a row was rejected, in conflict, or asks for something else
than an earlier row of its device, or a file could not be read.`,
		Example: "  taxiway hash check delivery-*.csv\n  taxiway hash check --problems -o json delivery.csv",
		Args:    usage(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return flags.check(c, args)
		},
	}
	flags.out.register(c)
	c.Flags().BoolVar(&flags.problems, "problems", false, "leave out rows that are accepted without a warning")
	c.Flags().StringVar(&flags.groupTag, "group-tag", "", "group tag for rows without one")
	return c
}

// checkView is the result on all files as JSON.
type checkView struct {
	OK    bool         `json:"ok"`
	Files []listResult `json:"files"`
}

func (f *checkFlags) check(c *cobra.Command, names []string) error {
	checker, err := devicelist.New(f.groupTag, time.Now)
	if err != nil {
		return err
	}
	v := checkView{OK: true}
	// People see rows as they are checked; JSON is one document.
	live := c.OutOrStdout()
	if f.out.value == "json" {
		live = io.Discard
	}
	for _, name := range names {
		_, _ = fmt.Fprintln(live, name)
		var rows []rowResult
		list, err := eachRow(c.Context(), checker, c.InOrStdin(), name, func(r *devicelist.Row) error {
			if f.problems && r.Code == "" && len(r.Warnings) == 0 {
				return nil
			}
			writeRow(live, r)
			if f.out.value == "json" {
				rows = append(rows, viewOf(r))
			}
			return nil
		})
		if err != nil {
			return err
		}
		list.tail(live)
		list.Rows = append(list.Rows, rows...)
		v.Files = append(v.Files, list)
		v.OK = v.OK && !list.failed()
	}
	if err := f.out.print(c.OutOrStdout(), v, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	if !v.OK {
		return &exitError{code: exitFailed}
	}
	return nil
}
