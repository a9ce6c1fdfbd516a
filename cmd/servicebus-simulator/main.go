// Command servicebus-simulator serves a simulated Azure Service Bus namespace
// over AMQP without TLS. See docs/servicebus-simulator.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"taxiway.example/pkg/broker/sbbroker/simulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "servicebus-simulator:", err)
		os.Exit(1)
	}
}

// errUsage says that the flag package has already explained what was wrong.
var errUsage = errors.New("usage")

// run serves until ctx ends. The first line on out is the connection string.
func run(ctx context.Context, args []string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("servicebus-simulator", flag.ContinueOnError)
	flags.SetOutput(errs)
	listen := flags.String("listen", "127.0.0.1:5672", "address to listen on")
	file := flags.String("topology", "", "JSON file with queues, topics and subscriptions")
	key := flags.String("key", "", "shared access key (default: a random one)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	topology, err := readTopology(*file)
	if err != nil {
		return err
	}
	options := []simulator.Option{simulator.WithLogger(slog.New(slog.NewTextHandler(errs, nil)))}
	if *key != "" {
		options = append(options, simulator.WithKey(*key))
	}
	server, err := simulator.New(topology, options...)
	if err != nil {
		return err
	}
	if err := server.Listen(ctx, *listen); err != nil {
		return errors.Join(err, server.Close())
	}
	if _, err := fmt.Fprintln(out, server.ConnectionString()); err != nil {
		return errors.Join(err, server.Close())
	}
	<-ctx.Done()
	return server.Close()
}

func readTopology(path string) (simulator.Topology, error) {
	if path == "" {
		return simulator.Topology{}, errors.New("-topology is missing: a namespace without entities is of no use")
	}
	f, err := os.Open(path)
	if err != nil {
		return simulator.Topology{}, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	t, err := simulator.ReadTopology(f)
	if err != nil {
		return t, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}
