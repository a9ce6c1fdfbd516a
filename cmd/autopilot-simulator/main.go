// Command autopilot-simulator serves a simulated Microsoft Graph for Windows
// Autopilot on one address and its management listener on another.
//
// It keeps nothing, checks no certificates and has no authentication on the
// management listener: it is for tests and demos, never for real devices.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"taxiway.example/pkg/autopilot/simulator"
)

// Exit codes: the command did what it should, failed, or was used wrongly.
const (
	exitFailed = 1
	exitUsage  = 2
)

// stopTimeout is how long requests under way may take after a signal.
const stopTimeout = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process: it serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		say(stderr, err.Error())
		return exitUsage
	}
	if err := serve(ctx, cfg, stdout); err != nil {
		say(stderr, err.Error())
		return exitFailed
	}
	return 0
}

func serve(ctx context.Context, cfg config, stdout io.Writer) error {
	sim := simulator.New(cfg.options)
	for _, t := range cfg.tenants {
		sim.AddTenant(t)
	}
	if cfg.state != "" {
		if err := plant(sim, cfg.state); err != nil {
			return err
		}
	}
	graph, err := listen(ctx, cfg.listen)
	if err != nil {
		return err
	}
	servers := []server{{&http.Server{Handler: sim.Handler(), ReadHeaderTimeout: stopTimeout}, graph}}
	managed := "none"
	if cfg.management != "" {
		l, err := listen(ctx, cfg.management)
		if err != nil {
			return errors.Join(err, graph.Close())
		}
		servers = append(servers, server{&http.Server{Handler: sim.Management(), ReadHeaderTimeout: stopTimeout}, l})
		managed = "http://" + l.Addr().String()
	}
	announce(stdout, sim, graph.Addr().String(), managed)
	return serveAll(ctx, servers)
}

func plant(sim *simulator.Server, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("seed file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	seeds, err := simulator.ReadSeeds(f)
	if err != nil {
		return err
	}
	_, err = sim.Plant(seeds)
	return err
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// announce prints what is in force and where to find it.
func announce(out io.Writer, sim *simulator.Server, address, managed string) {
	lines := []string{"SIMULATED Microsoft Graph for Autopilot: not for real devices, nothing is kept"}
	for _, knob := range sim.Options().Lines() {
		lines = append(lines, "  "+knob)
	}
	for _, id := range sim.Tenants() {
		lines = append(lines, "tenant     "+id)
	}
	say(out, append(lines,
		"login      http://"+address,
		"graph      http://"+address+"/v1.0",
		"beta       http://"+address+"/beta",
		"management "+managed)...)
}

// say writes lines; a terminal that is gone is no reason to stop serving.
func say(out io.Writer, lines ...string) {
	_, _ = io.WriteString(out, strings.Join(lines, "\n")+"\n")
}

type server struct {
	http     *http.Server
	listener net.Listener
}

// serveAll serves until ctx ends or a server fails, then stops all of them.
func serveAll(ctx context.Context, servers []server) error {
	failed := make(chan error, len(servers))
	for _, s := range servers {
		go func() { failed <- s.http.Serve(s.listener) }()
	}
	var errs []error
	running := len(servers)
	select {
	case <-ctx.Done():
	case err := <-failed:
		errs = append(errs, err)
		running--
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	for _, s := range servers {
		if err := s.http.Shutdown(stopping); err != nil {
			errs = append(errs, fmt.Errorf("stop: %w", err), s.http.Close())
		}
	}
	for range running {
		if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
