package main

import (
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// stdio is where a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// group ids of the help page.
const (
	groupRun  = "run"
	groupSend = "send"
	groupOps  = "ops"
)

func newRoot(std stdio) *cobra.Command {
	root := &cobra.Command{
		Use:           "taxiway",
		Short:         "Gets Windows devices into Windows Autopilot, from hardware hash to ready",
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          usage(cobra.NoArgs),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run:"},
		&cobra.Group{ID: groupSend, Title: "Send and follow devices:"},
		&cobra.Group{ID: groupOps, Title: "Find out and repair:"},
	)
	server := &remote{}
	server.register(root)
	root.AddCommand(commands(server)...)
	return root
}

// usage makes a wrong number of arguments a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return &exitError{exitUsage, err}
		}
		return nil
	}
}

// version returns the version the binary was built as.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// commands returns all commands of the root; server is where those go that need one.
func commands(server *remote) []*cobra.Command {
	return []*cobra.Command{
		newDemo(),
		newUp(),
		newHash(),
		newSubmit(server),
		newStatus(server),
		newTrace(server),
		newDevice(server),
		newDLQ(server),
	}
}
