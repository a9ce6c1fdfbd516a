package main

import "github.com/spf13/cobra"

func newHash() *cobra.Command {
	c := &cobra.Command{
		Use:     "hash",
		Short:   "Look into hardware hashes, offline",
		GroupID: groupSend,
		Args:    usage(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newHashShow(), newHashDiff(), newHashCheck(), newHashFix())
	return c
}
