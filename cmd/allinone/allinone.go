// Package allinone runs the whole pipeline in one process: ledger, broker and the three services. It is what `taxiway
// up`, `taxiway demo` and the end-to-end tests share.
package allinone

import (
	"context"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/collector"
	"taxiway.example/services/grouper"
	"taxiway.example/services/importer"
)

// Config says what to run. Ledger, Broker, Tenants and Listener are required.
type Config struct {
	Ledger   string // address, see engine.OpenLedger
	Broker   string // address, see engine.OpenBroker
	Tenants  *tenant.Directory
	Listener net.Listener // of the HTTP API

	Collector collector.Config
	Importer  importer.Config
	Grouper   grouper.Config
	Autopilot autopilot.Options
	Timeout   time.Duration // of one request to Microsoft Graph, default that of package graph
	Opened    func()        // called when ledger and broker are open; nil = nothing
	Hooks     Hooks
}

// Hooks let tests come between the parts; nil hooks do nothing.
type Hooks struct {
	Trace     func(operation, phase string)             // around the commit of each ledger transaction
	Broker    func(broker.Broker) broker.Broker         // wraps the broker
	Transport func(http.RoundTripper) http.RoundTripper // wraps what carries requests to Microsoft Graph
}

// Run opens ledger and broker and runs the services until ctx ends and everything begun is finished; it returns nil
// then.
func Run(ctx context.Context, c Config, env service.Env) error {
	o := engine.Options{
		Logger:  env.Logger,
		Now:     env.Now,
		Trace:   c.Hooks.Trace,
		Tenants: c.Tenants,
		Wrap:    c.Hooks.Broker,
	}
	return engine.Run(ctx, c.Ledger, c.Broker, o, env, func(ctx context.Context, d worker.Deps) error {
		if c.Opened != nil {
			c.Opened()
		}
		return c.services(ctx, d)
	})
}

func (c Config) services(ctx context.Context, d worker.Deps) error {
	clients := c.clients(d)
	intake, err := collector.New(c.Collector, collector.Deps{Deps: d, Listener: c.Listener})
	if err != nil {
		return err
	}
	registration, err := importer.New(c.Importer, importer.Deps{Deps: d, Autopilot: clients})
	if err != nil {
		return err
	}
	readiness, err := grouper.New(c.Grouper, grouper.Deps{Deps: d, Autopilot: clients})
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, w := range []*worker.Worker{intake, registration, readiness} {
		g.Go(func() error { return w.Run(ctx) })
	}
	return g.Wait()
}

func (c Config) clients(d worker.Deps) *autopilot.Directory {
	settings := autopilot.Settings{
		Tenants: d.Tenants,
		Budget:  d.Ledger,
		Options: c.Autopilot,
		Timeout: c.Timeout,
		Log:     d.Logger,
		Now:     d.Now,
	}
	if c.Hooks.Transport != nil {
		settings.HTTP = graph.NewHTTPClient()
		settings.HTTP.Transport = c.Hooks.Transport(settings.HTTP.Transport)
	}
	return autopilot.NewDirectory(settings)
}
