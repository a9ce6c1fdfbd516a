package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
)

func newDevice(r *remote) *cobra.Command {
	c := &cobra.Command{
		Use:     "device",
		Short:   "Decide about a device that needs a person",
		GroupID: groupOps,
		Args:    usage(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		newDecision(
			r,
			"release",
			"Send a held device on its way again",
			"Release starts a held device from the beginning, when the cause is gone: the other tenant has let it go, or "+
				"the device\n"+
				"that it contradicts is retired.",
			"the other tenant deregistered it",
			(*client.Client).Release,
		),
		newDecision(
			r,
			"retire",
			"Take a device out of service",
			"Retire ends what Taxiway does for a device. It contradicts no other one any more, and its hash is erased "+
				"after the\n"+
				"retention time. Nothing is done at Microsoft: delete it there if it is to be gone.",
			"the board was swapped",
			(*client.Client).Retire,
		),
	)
	return c
}

// newDecision is a command that changes one device for a reason.
func newDecision(
	r *remote,
	name, short, long, example string,
	decide func(*client.Client, context.Context, string, string) (api.Device, error),
) *cobra.Command {
	var out format
	var reason string
	c := &cobra.Command{
		Use:   name + " DEVICE",
		Short: short,
		Long: long + "\nIt needs an operator's key, and the audit keeps the reason. `taxiway trace` shows the ids of " +
			"devices.",
		Example: "  taxiway device " + name + " --reason '" + example + "' 0199a2c4-…",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return &exitError{exitUsage, errors.New("say why with --reason")}
			}
			server, err := r.client()
			if err != nil {
				return err
			}
			d, err := decide(server, c.Context(), args[0], reason)
			if err != nil {
				return err
			}
			return out.print(c.OutOrStdout(), d, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s is %s now.\n", d.ID, d.State)
				return err
			})
		},
	}
	out.register(c)
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit (required)")
	return c
}
