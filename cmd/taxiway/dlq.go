package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/client"
	"taxiway.example/pkg/fault"
)

func newDLQ(r *remote) *cobra.Command {
	c := &cobra.Command{
		Use:     "dlq",
		Short:   "List and replay dead letters",
		GroupID: groupOps,
		Args:    usage(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newDLQList(r), newDLQReplay(r))
	return c
}

func newDLQList(r *remote) *cobra.Command {
	var out format
	var code string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the devices and messages that were given up",
		Long: "List shows the open dead letters, oldest first. It needs an operator's key. It exits with 3 when --code is given and\n" +
			"no letter has it.",
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := r.client()
			if err != nil {
				return err
			}
			v := letterList{Letters: []client.Letter{}}
			for l, err := range api.Letters(c.Context(), code) {
				if err != nil {
					return err
				}
				v.Letters = append(v.Letters, l)
			}
			if err := out.print(c.OutOrStdout(), v, v.people); err != nil {
				return err
			}
			if len(v.Letters) == 0 && code != "" {
				return &exitError{code: exitNothing}
			}
			return nil
		},
	}
	out.register(c)
	c.Flags().StringVar(&code, "code", "", "only letters with this code, such as autopilot.storage_error")
	return c
}

type letterList struct {
	Letters []client.Letter `json:"letters"`
}

func (v letterList) people(w io.Writer) error {
	if len(v.Letters) == 0 {
		_, err := fmt.Fprintln(w, "There are no dead letters.")
		return err
	}
	t := newTable(w, "Letter", "Since (UTC)", "Tenant", "What", "Died", "Code", "Attempts", "Replays")
	for _, l := range v.Letters {
		what, died := "device "+l.Device, string(l.From)
		if l.Device == "" {
			what, died = "message "+l.Message, l.Subscription
		}
		t.AppendRow([]any{l.ID, l.At.UTC().Format(time.DateTime), l.Tenant, what, died, l.Code, l.Attempts, l.Replays})
	}
	t.Render()
	_, err := io.WriteString(w, legend(v.Letters))
	return err
}

// legend says once for each code what it means and what to do.
func legend(letters []client.Letter) string {
	var b strings.Builder
	var seen []fault.Code
	for _, l := range letters {
		if slices.Contains(seen, l.Code) {
			continue
		}
		seen = append(seen, l.Code)
		fmt.Fprintf(&b, "\n%s\n  %s\n  %s\n", l.Code, l.Title, l.Hint)
	}
	return b.String()
}

func newDLQReplay(r *remote) *cobra.Command {
	var out format
	var reason string
	c := &cobra.Command{
		Use:   "replay ID…",
		Short: "Put dead letters back to work",
		Long: "Replay puts letters back to work: a dead device to the stage it died at, a message under a new id. Nothing is removed\n" +
			"before it is back in the pipeline, and every replay is kept in the audit with its reason. It needs an operator's key.\n\n" +
			"It exits with 0 when all letters are back at work, 3 when none of them exists, 4 when some are not, 1 when none is.",
		Example: "  taxiway dlq replay --reason 'consent was granted' 0199a2c4-…",
		Args:    usage(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return &exitError{exitUsage, errors.New("say why with --reason")}
			}
			api, err := r.client()
			if err != nil {
				return err
			}
			v, err := replay(c, api, args, reason)
			if len(v.Results) > 0 || err == nil {
				err = errors.Join(err, out.print(c.OutOrStdout(), v, v.people))
			}
			if err != nil {
				return err
			}
			return v.verdict()
		},
	}
	out.register(c)
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit (required)")
	return c
}

type replayList struct {
	Results []client.Replayed `json:"results"`
}

// replay sends the ids in as many requests as it takes; an error ends it, what was done before stands.
func replay(c *cobra.Command, api *client.Client, ids []string, reason string) (replayList, error) {
	v := replayList{Results: []client.Replayed{}}
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), client.ReplayPage) {
		results, err := api.Replay(c.Context(), chunk, reason)
		if err != nil {
			return v, err
		}
		v.Results = append(v.Results, results...)
	}
	return v, nil
}

func (v replayList) people(w io.Writer) error {
	t := newTable(w, "Letter", "Outcome", "Code", "Detail")
	for _, r := range v.Results {
		detail := r.Detail
		if r.OK() && detail == "" {
			detail = strings.TrimSpace(strings.Join([]string{"back at work:", r.Device, r.Message}, " "))
		}
		t.AppendRow([]any{r.ID, r.Outcome, r.Code, detail})
	}
	t.Render()
	return nil
}

func (v replayList) verdict() error {
	failed, unknown := 0, 0
	for _, r := range v.Results {
		if !r.OK() {
			failed++
		}
		if r.Code == fault.RequestNotFound {
			unknown++
		}
	}
	if unknown == len(v.Results) {
		return &exitError{code: exitNothing}
	}
	return verdict(failed, len(v.Results))
}
