// Package service is the shell that every Taxiway process shares: flags with environment fallback, signals, logging,
// the operator's listener, and an ordered shutdown with a deadline.
package service

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/telemetry"
)

// ShutdownGrace is how long a process may take to drain before it is ended the hard way.
const ShutdownGrace = 30 * time.Second

// Env is what a running service gets from its shell.
type Env struct {
	Logger   *slog.Logger
	Registry *prometheus.Registry
	Health   *telemetry.Health
	Now      func() time.Time
}

// Run does a service's work until ctx ends, then drains and returns nil.
type Run func(context.Context, Env) error

// Program is a process: its name and its flags, which give the work to do once they are parsed.
type Program struct {
	Name string
	// Configure declares flags and returns a function that checks them and returns the work.
	Configure func(*flag.FlagSet) func() (Run, error)
}

// Main runs p with the process's arguments and signals, and returns the exit code: 0 done, 1 failed, 2 wrong usage.
func Main(p Program) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return p.main(ctx, os.Args[1:], os.LookupEnv, os.Stderr)
}

func (p Program) main(ctx context.Context, args []string, env func(string) (string, bool), stderr io.Writer) int {
	run, shell, err := p.parse(args, env, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
		return 2
	case shell.checkOnly:
		fmt.Fprintf(stderr, "%s: the configuration is fine\n", p.Name)
		return 0
	}
	if err := shell.run(ctx, p.Name, run); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
		return 1
	}
	return 0
}

type shell struct {
	ops       string
	checkOnly bool
	logger    *slog.Logger
}

func (p Program) parse(args []string, env func(string) (string, bool), stderr io.Writer) (Run, shell, error) {
	var s shell
	var logFormat, logLevel string
	fs := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	AddressVar(
		fs,
		&s.ops,
		"ops-listen",
		"127.0.0.1:0",
		"address of the operator's listener: /livez /readyz /metrics /debug/pprof; empty = none",
	)
	fs.StringVar(&logFormat, "log-format", "json", "json or text")
	fs.StringVar(&logLevel, "log-level", "info", "debug, info, warn or error")
	fs.BoolVar(&s.checkOnly, "check-config", false, "check flags and files, then exit")
	build := p.Configure(fs)
	if err := ParseFlags(fs, args, env); err != nil {
		return nil, s, err
	}
	var err error
	if s.logger, err = telemetry.NewLogger(stderr, logFormat, logLevel); err != nil {
		return nil, s, err
	}
	run, err := build()
	return run, s, err
}

func (s shell) run(ctx context.Context, name string, run Run) error {
	env := Env{
		Logger:   s.logger.With(telemetry.KeyService, name),
		Registry: telemetry.NewRegistry(),
		Health:   new(telemetry.Health),
		Now:      time.Now,
	}
	if s.ops != "" {
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.ops)
		if err != nil {
			return err
		}
		env.Logger.Info("operator's listener", "address", ln.Addr().String())
		stop := Serve(ln, telemetry.Handler(env.Health, env.Registry))
		defer stop()
	}
	return Supervise(ctx, env, run)
}

// Supervise runs a service until ctx ends. From then on it is unready and has ShutdownGrace to drain.
func Supervise(ctx context.Context, env Env, run Run) error {
	done := make(chan error, 1)
	go func() { done <- run(ctx, env) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		env.Health.Drain()
		env.Logger.Info("stopping")
	}
	select {
	case err := <-done:
		return err
	case <-time.After(ShutdownGrace):
		return fmt.Errorf("did not drain within %s", ShutdownGrace)
	}
}

// Serve serves h on ln with bounded header and idle times until the returned function is called.
func Serve(ln net.Listener, h http.Handler) (stop func()) {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		_ = srv.Serve(ln) // ends with ErrServerClosed
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
		<-finished
	}
}
