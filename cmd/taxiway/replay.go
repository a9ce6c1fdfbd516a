package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/fault"
)

func newDLQReplay(r *remote) *cobra.Command {
	var out format
	var reason, code string
	c := &cobra.Command{
		Use:   "replay {ID… | --code CODE}",
		Short: "Put dead letters back to work",
		Long: `Replay puts dead letters back to work: a dead device to the stage it died at, a
message under a new id. Nothing is removed before it is back in the pipeline,
and every replay is kept in the audit with its reason. It needs an operator's
key. With --code all open dead letters of the code are replayed, and only those
named that are not back at work.

It exits with 0 when all dead letters are back at work, 3 when none of them
exists, 4 when some are not, 1 when none is.`,
		Example: "  taxiway dlq replay --reason 'the device was repaired' 0199a2c4-…\n" +
			"  taxiway dlq replay --reason 'Microsoft repaired it' --code autopilot.storage_error",
		Args: usage(func(_ *cobra.Command, args []string) error { return replayArgs(args, code, reason) }),
		RunE: func(c *cobra.Command, args []string) error {
			server, err := r.client()
			if err != nil {
				return err
			}
			if code != "" {
				if args, err = deadLettersOf(c.Context(), server, code); err != nil {
					return err
				}
			}
			v, err := replay(c.Context(), server, args, reason)
			if len(v.Results) > 0 || err == nil {
				err = errors.Join(err, out.print(c.OutOrStdout(), v, v.people(code == "")))
			}
			if err != nil {
				return err
			}
			return v.failed()
		},
	}
	out.register(c)
	c.Flags().StringVar(&code, "code", "", "all open dead letters with this code, instead of IDs")
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit (required)")
	return c
}

func replayArgs(ids []string, code, reason string) error {
	switch {
	case len(ids) > 0 && code != "":
		return errors.New("name dead letters or a --code, not both")
	case len(ids) == 0 && code == "":
		return errors.New("name the dead letters, or a --code for all that have it")
	case strings.TrimSpace(reason) == "":
		return errors.New("say why with --reason")
	}
	return nil
}

// deadLettersOf returns the ids of the open dead letters of a code.
func deadLettersOf(ctx context.Context, server *client.Client, code string) ([]string, error) {
	var ids []string
	for l, err := range server.DeadLetters(ctx, code) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, l.ID)
	}
	return ids, nil
}

type replayList struct {
	Results []api.Replayed `json:"results"`
}

// replay sends the ids in as many requests as it takes; an error ends it, what was done before stands.
func replay(ctx context.Context, server *client.Client, ids []string, reason string) (replayList, error) {
	v := replayList{Results: []api.Replayed{}}
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), client.ReplayPage) {
		results, err := server.Replay(ctx, chunk, reason)
		if err != nil {
			return v, err
		}
		v.Results = append(v.Results, results...)
	}
	return v, nil
}

// people names the dead letters, all or those that are not back at work, and counts them by outcome.
func (v replayList) people(all bool) func(io.Writer) error {
	return func(w io.Writer) error {
		var b strings.Builder
		outcomes := map[string]int{}
		for _, r := range v.Results {
			outcomes[r.Outcome]++
			if all || !r.OK() || r.Detail != "" {
				writeReplayed(&b, r)
			}
		}
		var counts []string
		for _, o := range slices.SortedFunc(maps.Keys(outcomes), func(x, y string) int {
			return cmp.Or(cmp.Compare(outcomes[y], outcomes[x]), cmp.Compare(x, y))
		}) {
			counts = append(counts, fmt.Sprintf("%d %s", outcomes[o], inventory.Printable(o)))
		}
		fmt.Fprintf(
			&b,
			"%s: %s\n",
			counted(len(v.Results), "dead letter"),
			cmp.Or(strings.Join(counts, ", "), "nothing to replay"),
		)
		_, err := io.WriteString(w, b.String())
		return err
	}
}

func writeReplayed(b *strings.Builder, r api.Replayed) {
	what := "back at work"
	if !r.OK() {
		what = string(r.Code)
	}
	b.WriteString(
		strings.TrimRight(fmt.Sprintf("%-*s  %-8s  %s", idWidth, r.ID, inventory.Printable(r.Outcome), what), " ") + "\n",
	)
	if r.Detail != "" {
		writeFolded(b, 4, inventory.Printable(r.Detail))
	}
}

func (v replayList) failed() error {
	failed := 0
	unknown := 0
	for _, r := range v.Results {
		if !r.OK() {
			failed++
		}
		if r.Outcome == api.OutcomeFailed && r.Code == fault.RequestNotFound {
			unknown++
		}
	}
	if unknown == len(v.Results) {
		return &exitError{code: exitNothing}
	}
	return rowsFailed(failed, len(v.Results))
}
