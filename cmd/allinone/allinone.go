// Package allinone runs the whole pipeline in one process: ledger, broker and the three services. It is what `taxiway up`,
// `taxiway demo` and the end-to-end tests share.
package allinone

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/tenant"
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

// Run opens ledger and broker and runs the services until ctx ends and everything begun is finished; it returns nil then.
func Run(ctx context.Context, c Config, env service.Env) (err error) {
	parts, err := engine.Open(ctx, c.Ledger, c.Broker, engine.Options{Logger: env.Logger, Now: env.Now, Trace: c.Hooks.Trace, Tenants: c.Tenants})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, parts.Close()) }()
	if c.Opened != nil {
		c.Opened()
	}
	queue := parts.Broker
	if c.Hooks.Broker != nil {
		queue = c.Hooks.Broker(queue)
	}
	env.Health.Add("broker", queue.Health)
	return c.services(ctx, parts.Ledger, queue, env)
}

func (c Config) services(ctx context.Context, store ledger.Ledger, queue broker.Broker, env service.Env) error {
	clients := c.clients(store, env)
	bell := new(dispatch.Bell)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return collector.Run(ctx, c.Collector, collector.Deps{
			Ledger: store, Broker: queue, Tenants: c.Tenants, Health: env.Health, Registry: env.Registry, Logger: env.Logger,
			Now: env.Now, Listener: c.Listener,
		})
	})
	g.Go(func() error {
		return importer.Run(ctx, c.Importer, importer.Deps{
			Ledger: store, Publisher: queue, Consumer: queue, Tenants: c.Tenants, Bell: bell, Logger: env.Logger,
			Registry: env.Registry, Now: env.Now,
			Connect: func(id device.TenantID) (importer.Autopilot, error) { return clients.For(id) },
		})
	})
	g.Go(func() error {
		return grouper.Run(ctx, c.Grouper, grouper.Deps{
			Ledger: store, Publisher: queue, Consumer: queue, Tenants: c.Tenants, Bell: bell, Logger: env.Logger,
			Registry: env.Registry, Now: env.Now,
			Connect: func(id device.TenantID) (grouper.Autopilot, error) { return clients.For(id) },
		})
	})
	return g.Wait()
}

func (c Config) clients(store ledger.Ledger, env service.Env) *autopilot.Directory {
	settings := autopilot.Settings{Tenants: c.Tenants, Budget: store, Options: c.Autopilot, Timeout: c.Timeout, Log: env.Logger, Now: env.Now}
	if c.Hooks.Transport != nil {
		settings.HTTP = graph.NewHTTPClient()
		settings.HTTP.Transport = c.Hooks.Transport(settings.HTTP.Transport)
	}
	return autopilot.NewDirectory(settings)
}
