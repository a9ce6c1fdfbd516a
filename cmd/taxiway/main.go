// Taxiway is the one command: it runs the pipeline in one process, sends devices, follows them, and repairs what
// failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot(stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	err := root.ExecuteContext(ctx)
	return exitCode(root.ErrOrStderr(), err)
}

// The exit codes, the same for every command.
const (
	exitOK      = 0
	exitFailed  = 1 // it did not work
	exitUsage   = 2 // the command line makes no sense
	exitNothing = 3 // nothing matched
	exitPartly  = 4 // some of it did not work

	exitCancelled = 5 // somebody stopped it
)

// exitError is an error that knows its exit code; a nil Err prints nothing.
type exitError struct {
	code int
	err  error
}

// Error is what the user reads.
func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns the cause.
func (e *exitError) Unwrap() error { return e.err }

func exitCode(w interface{ Write([]byte) (int, error) }, err error) int {
	if err == nil {
		return exitOK
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		if e.err != nil {
			fmt.Fprintln(w, "taxiway:", e.err)
		}
		return e.code
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "taxiway: stopped:", err)
		return exitCancelled
	}
	fmt.Fprintln(w, "taxiway:", err)
	return exitFailed
}
