// Package importer is the service that registers collected devices with Windows Autopilot: it sends them in imports, finds out
// what became of each device, hands the registered ones to the grouper, and deletes its own import records afterwards.
//
// Nothing is sent twice without having been looked for, whatever fails or is restarted. It waits by committing a due time to
// the ledger, never by holding a message.
package importer

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/services/importer/internal/submission"
)

// Subscription is the service's name at the broker.
const Subscription = event.Importer

const source = "/taxiway/importer"

// Timings are all the waits and limits of an import. The zero value of a field is its default.
type Timings = submission.Timings

// Config is how the service works. The zero value of a field is its default.
type Config struct {
	Concurrency int             // imports sent at once, and looks at imports at once, default 4 each
	Lease       time.Duration   // how long the broker waits for a dead process, default that of the broker
	Timings     Timings         // waits and limits of the imports
	Attempts    pipeline.Config // Timeout, MaxAttempts, MinPause and MaxPause of a message; the rest is filled in
	Dispatch    dispatch.Config // Interval, Lease, Overdue and PerTenant; the rest is filled in
}

// Ledger is what the service needs of the ledger.
type Ledger interface {
	submission.Ledger
	dispatch.Ledger
	pipeline.DeadLetters
}

// Tenants finds the configuration of a tenant; tenant.Directory does.
type Tenants = submission.Tenants

// Autopilot is Autopilot for one tenant; autopilot.Client is.
type Autopilot = submission.Autopilot

// Deps are the service's neighbours. Ledger, Publisher, Consumer, Tenants and Connect are required.
type Deps struct {
	Ledger    Ledger
	Publisher broker.Publisher
	Consumer  broker.Consumer
	Tenants   Tenants
	Connect   func(device.TenantID) (Autopilot, error) // faults: TenantUnknown, TenantCredentialsRefused; nothing is sent
	Bell      *dispatch.Bell                           // optional: shared by the services of one process
	Logger    *slog.Logger                             // optional
	Registry  prometheus.Registerer                    // optional
	Now       func() time.Time                         // optional
}

// Run works until ctx ends and everything begun is finished, and returns nil then.
func Run(ctx context.Context, cfg Config, deps Deps) error {
	cfg, deps = cfg.withDefaults(), deps.withDefaults()
	if err := cfg.Timings.Validate(); err != nil {
		return fmt.Errorf("importer: timings: %w", err)
	}
	emitter := pipeline.NewEmitter(deps.Publisher)
	s := &submission.Service{
		Ledger: deps.Ledger, Tenants: deps.Tenants, Connect: deps.Connect, Emitter: emitter, Ring: deps.Bell.Ring,
		Metrics: submission.NewMetrics(deps.Registry), Timings: cfg.Timings, Now: deps.Now,
	}
	load := cfg.Dispatch.NewLoad(cfg.Concurrency)
	g, ctx := errgroup.WithContext(ctx) // when one of them cannot go on, neither can the others
	g.Go(func() error {
		return pipeline.Consume(ctx, deps.Consumer, cfg.subscription(), cfg.pipeline(deps, load), map[event.Type]pipeline.UseCase{
			event.DevicesCollected: s.Submit,
			event.SubmissionDue:    s.Look,
		})
	})
	g.Go(func() error {
		return dispatch.Run(ctx, cfg.dispatch(), deps.dispatch(emitter, load))
	})
	return g.Wait()
}

func (c Config) withDefaults() Config {
	c.Concurrency = cmp.Or(max(c.Concurrency, 0), 4)
	c.Timings = c.Timings.WithDefaults()
	return c
}

func (c Config) subscription() broker.Subscription {
	return broker.Subscription{Name: Subscription, Concurrency: c.Concurrency, Lease: c.Lease}
}

func (c Config) pipeline(d Deps, load *dispatch.Load) pipeline.Config {
	p := c.Attempts
	p.Subscription, p.DeadLetters, p.Logger, p.Now = Subscription, d.Ledger, d.Logger, d.Now
	p.Metrics, p.Around = pipeline.NewMetrics(d.Registry), load.Around
	return p
}

func (c Config) dispatch() dispatch.Config {
	c.Dispatch.Stages, c.Dispatch.Source = []dispatch.Stage{dispatch.Import, dispatch.Submissions}, source
	c.Dispatch.Owner = cmp.Or(c.Dispatch.Owner, uuid.NewString())
	return c.Dispatch
}

func (d Deps) withDefaults() Deps {
	d.Bell = cmp.Or(d.Bell, new(dispatch.Bell))
	d.Logger = cmp.Or(d.Logger, slog.New(slog.DiscardHandler))
	if d.Registry == nil {
		d.Registry = prometheus.NewRegistry()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return d
}

func (d Deps) dispatch(emitter *pipeline.Emitter, load *dispatch.Load) dispatch.Deps {
	return dispatch.Deps{Ledger: d.Ledger, Emitter: emitter, Bell: d.Bell, Load: load, Logger: d.Logger, Now: d.Now}
}
