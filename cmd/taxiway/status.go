package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/cmd/internal/watch"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
)

// rowKinds are the values of --rows and what the API calls them.
var rowKinds = map[string]string{
	"all": "", "accepted": "accepted", "updated": "updated", "duplicate": "duplicate", "conflict": "conflict",
	"rejected": "rejected",
	"failed":   "failed",
}

func newStatus(r *remote) *cobra.Command {
	var out format
	var follow bool
	var rows string
	c := &cobra.Command{
		Use:     "status BATCH",
		Short:   "Show how a batch is doing",
		GroupID: groupSend,
		Long: `Status shows a batch: its rows by outcome, its devices by state, and why some
are not ready. It exits with 3 when there is no such batch; with --watch as
submit --watch does.`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if _, ok := rowKinds[rows]; rows != "" && (!ok || follow) {
				return &exitError{
					exitUsage,
					errors.New(
						"--rows: want accepted, updated, duplicate, conflict, rejected, failed or all, and not with --watch",
					),
				}
			}
			server, err := r.client()
			if err != nil {
				return err
			}
			if follow {
				final, err := followBatch(c, server, args[0], out, func(b api.Batch) any { return b })
				if err != nil {
					return err
				}
				return rowsFailed(watch.Failed(*final), final.Rows)
			}
			return status(c, server, args[0], out, rows)
		},
	}
	out.register(c)
	c.Flags().BoolVar(&follow, "watch", false, "follow the batch until all its devices are at an end")
	c.Flags().
		StringVar(&rows, "rows", "", "list rows: accepted, updated, duplicate, conflict, rejected, failed (to be looked "+
			"at) or all")
	return c
}

// statusView is a batch with the rows asked for, as JSON.
type statusView struct {
	api.Batch

	List []api.Row `json:"list,omitempty"`
}

func status(c *cobra.Command, server *client.Client, id string, out format, rows string) error {
	b, err := server.Batch(c.Context(), id)
	if err != nil {
		return notFound(err)
	}
	v := statusView{Batch: b}
	if rows != "" {
		for row, err := range server.Rows(c.Context(), id, rowKinds[rows]) {
			if err != nil {
				return err
			}
			v.List = append(v.List, row)
		}
	}
	return out.print(c.OutOrStdout(), v, func(w io.Writer) error {
		if rows != "" {
			return writeRows(w, v.List)
		}
		return watch.Summary(w, b)
	})
}

// writeRows lists rows for people: what became of the row, else of its device.
func writeRows(w io.Writer, rows []api.Row) error {
	var b strings.Builder
	for _, r := range rows {
		if r.Code != "" {
			writeProblem(&b, r)
			continue
		}
		fmt.Fprintf(
			&b,
			"  %-9s  row %d: %s\n",
			r.Outcome,
			r.Row,
			strings.TrimSpace(fmt.Sprintf("%s %s", r.State, r.DeviceCode)),
		)
		if r.Reason != "" {
			fmt.Fprintf(&b, "             %s\n", inventory.Printable(r.Reason))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
