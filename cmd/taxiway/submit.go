package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/cmd/internal/watch"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/device"
)

// shownProblems is how many rows that were not accepted are shown to people.
const shownProblems = 20

type submitFlags struct {
	out    format
	follow bool
	again  bool // as another batch than the file was before
	upload client.Upload
}

func newSubmit(r *remote) *cobra.Command {
	var flags submitFlags
	c := &cobra.Command{
		Use:     "submit FILE",
		Short:   "Send a device list",
		GroupID: groupSend,
		Long: "Submit streams a device list (CSV of any dialect) to the server and says what became of each row that " +
			"was not\n" +
			"accepted. Sent again, the same file goes on with the same batch, and no row is taken in twice: the " +
			"idempotency key is\n" +
			"the SHA-256 of the file, unless another is given. Standard input (-) has none.\n\n" +
			"It exits with 0 when every row was accepted or known before, 4 when some were not, 1 when none was. With " +
			"--watch that\n" +
			"is said of the devices: 0 when all are ready.",
		Example: "  taxiway submit devices.csv --watch\n  taxiway submit --group-tag KIOSK -o json devices.csv",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if flags.again && flags.upload.IdempotencyKey != "" {
				return &exitError{exitUsage, errors.New("--again makes a key of its own: leave out --idempotency-key")}
			}
			server, err := r.client()
			if err != nil {
				return err
			}
			return submit(c, server, args[0], flags)
		},
	}
	flags.out.register(c)
	c.Flags().BoolVar(&flags.follow, "watch", false, "follow the batch until all its devices are at an end")
	c.Flags().StringVar(&flags.upload.GroupTag, "group-tag", "", "group tag for rows without one")
	c.Flags().
		StringVar(&flags.upload.IdempotencyKey, "idempotency-key", "", "key under which sending again goes on with the "+
			"same batch")
	c.Flags().BoolVar(&flags.again, "again", false, "send a file again that was taken in before, as another batch")
	c.Flags().StringVar(&flags.upload.Name, "name", "", "name of the batch (default the file's)")
	return c
}

func submit(c *cobra.Command, server *client.Client, name string, flags submitFlags) error {
	l, err := newList(c.InOrStdin(), name, &flags.upload)
	if err != nil {
		return err
	}
	if flags.again && flags.upload.IdempotencyKey != "" {
		flags.upload.IdempotencyKey += "-" + uuid.NewString()
	}
	receipt, err := l.send(c, server, flags.upload)
	if err != nil {
		return again(err, flags.upload, flags.again)
	}
	var final *api.Batch
	if !flags.follow {
		err = flags.out.print(c.OutOrStdout(), submitView{receipt, nil}, receiptCard(receipt))
	} else {
		// The receipt comes first: who stops watching knows what was taken in.
		_ = receiptCard(receipt)(c.ErrOrStderr())
		final, err = followBatch(c, server, receipt.ID, flags.out, func(b api.Batch) any { return submitView{receipt, &b} })
	}
	if err != nil {
		return err
	}
	if final != nil {
		return rowsFailed(watch.Failed(*final), final.Rows)
	}
	return rowsFailed(len(receipt.Problems)+receipt.More, receipt.Rows)
}

// submitView is the answer to a submit as JSON.
type submitView struct {
	Receipt api.Receipt `json:"receipt"`
	Batch   *api.Batch  `json:"batch,omitempty"` // how it ended, with --watch
}

// followBatch watches a batch to its end and prints it. An interrupted watch shows what was seen last.
func followBatch(
	c *cobra.Command,
	server *client.Client,
	id string,
	out format,
	view func(api.Batch) any,
) (*api.Batch, error) {
	b, err := watch.Follow(
		c.Context(),
		server,
		id,
		c.ErrOrStderr(),
		watch.Options{Terminal: watch.IsTerminal(c.ErrOrStderr())},
	)
	stopped := errors.Is(err, context.Canceled)
	if err != nil && (!stopped || b.ID == "") {
		return nil, notFound(err)
	}
	if err := out.print(c.OutOrStdout(), view(b), func(w io.Writer) error { return watch.Summary(w, b) }); err != nil {
		return nil, err
	}
	if stopped {
		return nil, &exitError{exitCancelled, fmt.Errorf("stopped watching; go on with: taxiway status %s --watch", id)}
	}
	return &b, nil
}

// rowsFailed turns how many of how many failed into an exit code.
func rowsFailed(failed, all int) error {
	switch {
	case failed == 0:
		return nil
	case failed >= all:
		return &exitError{code: exitFailed}
	}
	return &exitError{code: exitPartly}
}

// receiptCard shows a receipt to people.
func receiptCard(r api.Receipt) func(io.Writer) error {
	return func(w io.Writer) error {
		var b strings.Builder
		fmt.Fprintf(&b, "Batch %s\n", r.ID)
		if r.Repeated {
			b.WriteString("  This file was taken in before. To send its devices again: --again\n")
		}
		fmt.Fprintf(
			&b,
			"  %d rows: %d accepted, %d updated, %d duplicate, %d conflict, %d rejected\n",
			r.Rows,
			r.Outcomes[device.Accepted],
			r.Outcomes[device.Updated],
			r.Outcomes[device.Duplicate],
			r.Outcomes[device.Conflict],
			r.Outcomes[device.Rejected],
		)
		if r.Warned > 0 {
			fmt.Fprintf(&b, "  Rows with warnings: %d\n", r.Warned)
		}
		for _, note := range r.Notes {
			fmt.Fprintf(&b, "  Note: %s\n", note)
		}
		shown := r.Problems[:min(len(r.Problems), shownProblems)]
		for _, p := range shown {
			writeProblem(&b, p)
		}
		if more := len(r.Problems) - len(shown) + r.More; more > 0 {
			fmt.Fprintf(&b, "  %d rows more: taxiway status %s --rows failed\n", more, r.ID)
		}
		_, err := io.WriteString(w, b.String())
		return err
	}
}

func writeProblem(b *strings.Builder, p api.Row) {
	fmt.Fprintf(b, "  %-9s  row %d: %s%s\n", p.Outcome, p.Row, p.Code, inColumn(p.Column))
	if p.Detail != "" {
		writeFolded(b, 13, inventory.Printable(p.Detail))
	}
	if p.Hint != "" {
		writeHint(b, 13, "What to do: "+inventory.Printable(p.Hint))
	}
}
