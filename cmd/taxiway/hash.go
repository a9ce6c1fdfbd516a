package main

import "github.com/spf13/cobra"

func newHash() *cobra.Command {
	return &cobra.Command{
		Use:     "hash",
		Short:   "Look into hardware hashes, offline",
		GroupID: groupSend,
	}
}
