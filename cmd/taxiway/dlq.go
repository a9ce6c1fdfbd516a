package main

import (
	"time"

	"github.com/spf13/cobra"

	"taxiway.example/pkg/api"
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
		Long: `List shows the open dead letters, oldest first. It needs an operator's key. It
exits with 3 when --code is given and no dead letter has it.`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			server, err := r.client()
			if err != nil {
				return err
			}
			v := deadLetterList{DeadLetters: []api.DeadLetter{}}
			for l, err := range server.DeadLetters(c.Context(), code) {
				if err != nil {
					return err
				}
				v.DeadLetters = append(v.DeadLetters, l)
			}
			if err := out.print(c.OutOrStdout(), v, v.people(time.Now())); err != nil {
				return err
			}
			if len(v.DeadLetters) == 0 && code != "" {
				return &exitError{code: exitNothing}
			}
			return nil
		},
	}
	out.register(c)
	c.Flags().StringVar(&code, "code", "", "only dead letters with this code, such as autopilot.storage_error")
	return c
}
