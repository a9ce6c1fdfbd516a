// Package grouper is the service that takes registered devices to ready: it sets their group tag by the tenant's rules, sees
// that Entra's device object carries it and that the tag's dynamic group has picked the device up, and that a deployment profile
// is assigned.
//
// It waits by committing a due time to the ledger, never by holding a message, and gives nothing up for being slow.
package grouper

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/membership"
	"taxiway.example/services/grouper/internal/tagging"
)

// Subscription is the service's name at the broker.
const Subscription = event.Grouper

// Config is how the service works. The zero value of a field is its default.
type Config struct {
	Concurrency int             // events worked on at once, default 4
	Lease       time.Duration   // how long the broker waits for a dead process, default that of the broker
	Timings     Timings         // waits and limits of the devices
	Attempts    pipeline.Config // Timeout, MaxAttempts, MinPause and MaxPause of a message; the rest is filled in
	Dispatch    dispatch.Config // Interval, Lease, Overdue and PerTenant; the rest is filled in
}

// Ledger is what the service needs of the ledger.
type Ledger interface {
	ledger.DeviceReader
	ledger.Mover
	ledger.Timeline
	dispatch.Ledger
	pipeline.DeadLetters
}

// Tenants finds the configuration of a tenant; tenant.Directory does.
type Tenants interface {
	Get(id device.TenantID) (tenant.Tenant, error)
}

// Identities reads registered devices; autopilot.Client does.
type Identities interface {
	Identities(ctx context.Context, ids []string) map[string]autopilot.Lookup[autopilot.Identity]
	AllIdentities(ctx context.Context) iter.Seq2[autopilot.Identity, error]
}

// Autopilot is Autopilot and Entra for one tenant; autopilot.Client is.
type Autopilot interface {
	Identities
	tagging.Setter
	tagging.Starter
	membership.Entra
	AllEntraDevices(ctx context.Context) iter.Seq2[autopilot.EntraDevice, error]
}

// Emitter publishes events; pipeline.Emitter does.
type Emitter interface {
	Emit(ctx context.Context, events ...event.Event) error
}

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
	if err := cfg.Timings.validate(); err != nil {
		return fmt.Errorf("grouper: timings: %w", err)
	}
	emitter := pipeline.NewEmitter(deps.Publisher)
	s := newStage(cfg.Timings, deps, emitter)
	subscription := broker.Subscription{Name: Subscription, Concurrency: cfg.Concurrency, Lease: cfg.Lease}
	load := cfg.Dispatch.NewLoad(cfg.Concurrency)
	g, ctx := errgroup.WithContext(ctx) // when one of them cannot go on, neither can the other
	g.Go(func() error {
		return pipeline.Consume(ctx, deps.Consumer, subscription, cfg.pipeline(deps, load), map[event.Type]pipeline.UseCase{
			event.DevicesRegistered: s.handle,
		})
	})
	g.Go(func() error { return dispatch.Run(ctx, cfg.dispatch(), deps.dispatch(emitter, load)) })
	return g.Wait()
}

func newStage(t Timings, deps Deps, emitter Emitter) *stage {
	return &stage{
		ledger: deps.Ledger, tenants: deps.Tenants, connect: deps.Connect, emitter: emitter,
		checker: membership.New(t.Groups, t.Members, deps.Now), lists: newLists(t, deps.Now), metrics: newMetrics(deps.Registry), timings: t, now: deps.Now,
	}
}

func (c Config) withDefaults() Config {
	c.Concurrency = cmp.Or(max(c.Concurrency, 0), 4)
	c.Timings = c.Timings.withDefaults()
	return c
}

func (d Deps) withDefaults() Deps {
	d.Logger = cmp.Or(d.Logger, slog.New(slog.DiscardHandler))
	if d.Registry == nil {
		d.Registry = prometheus.NewRegistry()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return d
}

func (d Deps) dispatch(emitter Emitter, load *dispatch.Load) dispatch.Deps {
	return dispatch.Deps{Ledger: d.Ledger, Emitter: emitter, Bell: d.Bell, Load: load, Logger: d.Logger, Now: d.Now}
}

func (c Config) dispatch() dispatch.Config {
	c.Dispatch.Stages, c.Dispatch.Source = []dispatch.Stage{dispatch.Group}, source
	c.Dispatch.Owner = cmp.Or(c.Dispatch.Owner, uuid.NewString())
	return c.Dispatch
}

func (c Config) pipeline(d Deps, load *dispatch.Load) pipeline.Config {
	p := c.Attempts
	p.Subscription, p.DeadLetters, p.Logger, p.Now = Subscription, d.Ledger, d.Logger, d.Now
	p.Metrics, p.Around = pipeline.NewMetrics(d.Registry), load.Around
	return p
}
