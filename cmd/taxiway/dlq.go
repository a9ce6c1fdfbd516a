package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/client"
	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/pkg/api"
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
			server, err := r.client()
			if err != nil {
				return err
			}
			v := letterList{Letters: []api.Letter{}}
			for l, err := range server.Letters(c.Context(), code) {
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
	Letters []api.Letter `json:"letters"`
}

// people shows the letters by code, with what it means and what to do.
func (v letterList) people(w io.Writer) error {
	if len(v.Letters) == 0 {
		_, err := fmt.Fprintln(w, "There are no dead letters.")
		return err
	}
	var codes []fault.Code
	byCode := map[fault.Code][]api.Letter{}
	for _, l := range v.Letters {
		if byCode[l.Code] == nil {
			codes = append(codes, l.Code)
		}
		byCode[l.Code] = append(byCode[l.Code], l)
	}
	for i, code := range codes {
		letters := byCode[code]
		if i > 0 {
			_, _ = fmt.Fprintln(w)
		}
		if _, err := fmt.Fprintf(w, "%s: %s\nWhat to do: %s\n", code, letters[0].Title, letters[0].Hint); err != nil {
			return err
		}
		letterTable(w, letters)
	}
	return nil
}

func letterTable(w io.Writer, letters []api.Letter) {
	t := newTable(w, "Letter", "Since (UTC)", "Tenant", "What", "Died in", "Attempts", "Replays")
	for _, l := range letters {
		what, where := "device", string(l.From)
		if l.Device == "" {
			what, where = "message", l.Subscription
		}
		t.AppendRow([]any{l.ID, l.At.UTC().Format("2006-01-02 15:04"), l.Tenant, what, where, l.Attempts, l.Replays})
	}
	t.Render()
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
			server, err := r.client()
			if err != nil {
				return err
			}
			v, err := replay(c, server, args, reason)
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
	Results []api.Replayed `json:"results"`
}

// replay sends the ids in as many requests as it takes; an error ends it, what was done before stands.
func replay(c *cobra.Command, server *client.Client, ids []string, reason string) (replayList, error) {
	v := replayList{Results: []api.Replayed{}}
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), client.ReplayPage) {
		results, err := server.Replay(c.Context(), chunk, reason)
		if err != nil {
			return v, err
		}
		v.Results = append(v.Results, results...)
	}
	return v, nil
}

func (v replayList) people(w io.Writer) error {
	for _, r := range v.Results {
		what := "back at work"
		if !r.OK() {
			what = string(r.Code)
		}
		if r.Detail != "" {
			what += ": " + inventory.Printable(r.Detail)
		}
		if _, err := fmt.Fprintf(w, "%s  %-8s  %s\n", r.ID, r.Outcome, what); err != nil {
			return err
		}
	}
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
