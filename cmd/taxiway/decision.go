package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"taxiway.example/cmd/internal/watch"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
)

// decide asks the server for a decision about the devices with the ids.
type decide func(ctx context.Context, s *client.Client, ids []string, d api.Decision) (any, error)

// newDecision completes a command that changes devices for a reason: it says what will be, and goes on when a person
// agrees. What the server would refuse is refused before that.
func newDecision(r *remote, c *cobra.Command, decide decide, consequences func([]api.Device) []string) *cobra.Command {
	var out format
	var reason string
	var yes bool
	c.Long += "\nIt says what will be and asks before it goes on; without a terminal it needs\n" +
		"--yes. It needs an operator's key, and the audit keeps the reason. The ids of\n" +
		"devices are shown by `taxiway trace`."
	c.RunE = func(c *cobra.Command, ids []string) error {
		if strings.TrimSpace(reason) == "" {
			return &exitError{exitUsage, errors.New("say why with --reason")}
		}
		server, err := r.client()
		if err != nil {
			return err
		}
		devices, err := dryRun(c.Context(), server, ids, reason, decide)
		if err != nil {
			return notFound(err)
		}
		writeConsequences(c.ErrOrStderr(), consequences(devices))
		if err := agreed(c, yes); err != nil {
			return err
		}
		result, err := decide(c.Context(), server, ids, api.Decision{Reason: reason})
		if err != nil {
			return err
		}
		return out.print(c.OutOrStdout(), result, func(w io.Writer) error { return writeDecided(w, result) })
	}
	out.register(c)
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit (required)")
	c.Flags().BoolVar(&yes, "yes", false, "go on without asking")
	return c
}

// dryRun lets the server decide without changing anything, and returns the devices as they are now.
func dryRun(ctx context.Context, s *client.Client, ids []string, reason string, decide decide) ([]api.Device, error) {
	if _, err := decide(ctx, s, ids, api.Decision{Reason: reason, DryRun: true}); err != nil {
		return nil, err
	}
	devices := make([]api.Device, len(ids))
	for i, id := range ids {
		var err error
		if devices[i], err = s.Device(ctx, id); err != nil {
			return nil, err
		}
	}
	return devices, nil
}

// agreed returns nil when a person has agreed, by a flag or on the terminal.
func agreed(c *cobra.Command, yes bool) error {
	in, typed := c.InOrStdin().(io.Writer)
	switch {
	case yes:
		return nil
	case !typed || !watch.IsTerminal(in) || !watch.IsTerminal(c.ErrOrStderr()):
		return &exitError{exitUsage, errors.New("nothing was changed: say --yes to go on")}
	}
	return ask(c.Context(), c.InOrStdin(), c.ErrOrStderr())
}

// ask asks a person whether to go on; no answer is no.
func ask(ctx context.Context, in io.Reader, w io.Writer) error {
	_, _ = fmt.Fprint(w, "Go on? [y/N] ")
	answers := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n')
		answers <- line
	}()
	answer := "\n"
	select {
	case answer = <-answers:
	case <-ctx.Done():
	}
	if !strings.HasSuffix(answer, "\n") || ctx.Err() != nil {
		_, _ = fmt.Fprintln(w)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return &exitError{exitCancelled, errors.New("nothing was changed")}
}
