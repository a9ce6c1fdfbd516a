// Command contractgraph asks a tenant what Microsoft does not document and Taxiway rests on. It prints the answers as a
// table: whether an import id is kept, can be filtered by and is shared by two devices, how a list ends, and how long
// things stay invisible. docs/testing.md explains the table.
//
// It reads only, unless -write is given. Then it imports two devices that it makes up, and removes them and their
// import records at the end, also after an error or a signal. What it cannot remove it names.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes: everything was asked and removed again; not; wrong usage.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process.
func run(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	p, err := parse(args, env, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "contractgraph:", err)
		return exitUsage
	}
	err = errors.Join(p.ask(ctx), p.table.print(stdout))
	if err != nil {
		fmt.Fprintln(stderr, "contractgraph:", err)
		return exitFailed
	}
	return 0
}
