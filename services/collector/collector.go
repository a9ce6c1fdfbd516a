// Package collector is the service that takes devices in: from files and devices over HTTP and from message queues to
// rows committed in the ledger, and to events that name the devices accepted.
package collector

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/worker"
	"taxiway.example/services/collector/internal/collect"
	"taxiway.example/services/collector/internal/httpapi"
	"taxiway.example/services/collector/internal/queue"
	"taxiway.example/services/collector/internal/retention"
)

// Limits bound what clients of the API may do; zero fields take the defaults.
type Limits = httpapi.Config

// Intake is how rows are taken in; zero fields take the defaults.
type Intake = collect.Config

// Queues bound what senders may put into message queues; zero fields take the defaults.
type Queues = queue.Config

// Config is the configuration of the service.
type Config struct {
	worker.Config
	Addr      string        // address of the API; default 127.0.0.1:8080
	Intake    Intake        //
	Limits    Limits        // its operators come on top of those of the tenants' file
	Queues    Queues        //
	Shutdown  time.Duration // for requests at work when the service stops; default 25 s
	Retention time.Duration // of hashes once their device is ready or retired; default 30 days, < 0 = for ever
}

// Deps are the parts the service works with.
type Deps struct {
	worker.Deps
	Listener net.Listener // optional; otherwise one on Config.Addr
}

// New returns the service, which serves the API and the queues. When it is told to stop, it says that it is not ready,
// takes no new connection and no message, and lets what is at work finish. An error names a key that cannot be used.
func New(c Config, d Deps) (*worker.Worker, error) {
	d.Deps = d.WithDefaults()
	taker, err := collect.New(c.Intake, collect.Deps{
		Ledger: d.Ledger, Events: pipeline.NewEmitter(d.Broker), Now: d.Now, Logger: d.Logger, Metrics: d.Registry,
	})
	if err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	c.Limits.Operators = append(slices.Clone(c.Limits.Operators), d.Tenants.Operators()...)
	api, err := httpapi.New(c.Limits, httpapi.Deps{
		Taker: taker, Reader: d.Ledger, Tenants: d.Tenants, Health: d.Health, Now: d.Now, Logger: d.Logger,
		Metrics:     d.Registry,
		DeadLetters: deadletter.New(deadletter.Deps{Ledger: d.Ledger, Queues: d.Broker, Now: d.Now, Logger: d.Logger}),
	})
	if err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	server := httpapi.Server{
		API: api, Listener: d.Listener, Addr: c.Addr, Shutdown: c.Shutdown, Drain: d.Health.Drain, Logger: d.Logger,
	}
	queues := queue.New(c.Queues, queue.Deps{
		Taker: taker, Reader: d.Ledger, DeadLetters: d.Ledger, Consumer: d.Broker, Tenants: d.Tenants,
		Now: d.Now, Logger: d.Logger, Metrics: d.Registry,
	})
	return worker.New(c.Config, d.Deps, worker.Plan{
		Name:  queue.Subscription,
		Tasks: []func(context.Context) error{server.Run, queues.Run},
		Jobs:  retention.Jobs(c.Retention, d.Ledger, d.Now),
	}), nil
}
