// Package worker is the one shape of every worker: it handles events of its types in both lanes, issues the work that
// is due in the ledger, and does housekeeping: periodic jobs, each of which one process at a time does.
package worker

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
)

// Config is how a worker works. The zero value of a field is its default.
type Config struct {
	Concurrency int               // events of one type and lane handled at once, default 4
	Lease       time.Duration     // how long the broker waits for a dead process, default that of the broker
	Attempts    pipeline.Attempts // of a message
	Dispatch    dispatch.Timings  // of the work that is due
}

// Deps are the neighbours of every worker. Ledger, Broker and Tenants are required.
type Deps struct {
	Ledger   ledger.Ledger
	Broker   broker.Broker
	Tenants  *tenant.Directory
	Notifier *dispatch.Notifier    // optional: shared by the workers of one process
	Health   *telemetry.Health     // optional
	Logger   *slog.Logger          // optional
	Registry prometheus.Registerer // optional
	Now      func() time.Time      // optional
}

// WithDefaults returns d with its optional fields filled in.
func (d Deps) WithDefaults() Deps {
	d.Notifier = cmp.Or(d.Notifier, new(dispatch.Notifier))
	d.Health = cmp.Or(d.Health, new(telemetry.Health))
	d.Logger = cmp.Or(d.Logger, slog.New(slog.DiscardHandler))
	if d.Registry == nil {
		d.Registry = prometheus.NewRegistry()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return d
}

// Plan is what a worker does.
type Plan struct {
	Name     string                            // of the service, and of its subscriptions
	Handlers map[event.Type]pipeline.UseCase   // one for each type that event.Consumption gives the service
	Stages   []dispatch.Stage                  // whose due work the service issues
	Jobs     []dispatch.Job                    // periodic
	Tasks    []func(ctx context.Context) error // what else runs until ctx ends, such as a server
}

// Worker is a worker that is ready to run.
type Worker struct {
	config Config
	deps   Deps
	plan   Plan
}

// New returns a worker.
func New(c Config, d Deps, p Plan) *Worker {
	c.Concurrency = cmp.Or(max(c.Concurrency, 0), 4)
	return &Worker{c, d.WithDefaults(), p}
}

// Run works until ctx ends and everything begun is finished, and returns nil then. When one part cannot go on, neither
// can the others.
func (w *Worker) Run(ctx context.Context) error {
	load := w.config.Dispatch.NewLoad(w.config.Concurrency)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.consume(ctx, load) })
	g.Go(func() error { return w.dispatch(ctx, load) })
	for _, task := range w.plan.Tasks {
		g.Go(func() error { return task(ctx) })
	}
	return g.Wait()
}

func (w *Worker) consume(ctx context.Context, load *dispatch.Load) error {
	sub := broker.Subscription{Name: w.plan.Name, Concurrency: w.config.Concurrency, Lease: w.config.Lease}
	return pipeline.Consume(ctx, w.deps.Broker, sub, pipeline.Config{
		Subscription: w.plan.Name, DeadLetters: w.deps.Ledger, Logger: w.deps.Logger,
		Metrics: pipeline.NewMetrics(w.deps.Registry), Around: load.Around,
		Now: w.deps.Now, Attempts: w.config.Attempts,
	}, w.plan.Handlers)
}

func (w *Worker) dispatch(ctx context.Context, load *dispatch.Load) error {
	return dispatch.Run(ctx, dispatch.Config{
		Stages: w.plan.Stages, Source: event.Source(w.plan.Name), Jobs: w.jobs(), Timings: w.config.Dispatch,
	}, dispatch.Deps{
		Ledger: w.deps.Ledger, Emitter: pipeline.NewEmitter(w.deps.Broker), Notifier: w.deps.Notifier, Load: load,
		Logger: w.deps.Logger, Now: w.deps.Now,
	})
}

// jobs are the service's, and that of the broker, which every service does as well as any other.
func (w *Worker) jobs() []dispatch.Job {
	return append(
		slices.Clone(w.plan.Jobs),
		dispatch.Job{Name: "trim-broker", Every: time.Minute, Do: w.deps.Broker.Trim},
	)
}
