// Package queue takes devices in from message queues that OEMs fill: the same use case and the same answers as over
// HTTP. Which queues there are, and whose devices they bring, says the configuration of the tenants and nothing else.
//
// One message is one batch, under the sender's message id: delivered again it is the same batch, and changes nothing. A
// message is acknowledged when the ledger has all of it.
package queue

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/backoff"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/collector/internal/collect"
)

// Subscription is the name under which the collector consumes queues.
const Subscription = "collector"

// Config bounds what a sender may do; zero fields take the defaults.
type Config struct {
	MaxBody     int // bytes of a message; default broker.MaxBody
	MaxDevices  int // of a message; default 500
	Concurrency int // messages of one queue that are at work at once; default 4
}

func (c Config) withDefaults() Config {
	c.MaxBody = cmp.Or(max(c.MaxBody, 0), broker.MaxBody)
	c.MaxDevices = cmp.Or(max(c.MaxDevices, 0), 500)
	c.Concurrency = cmp.Or(max(c.Concurrency, 0), 4)
	return c
}

// Taker takes deliveries in.
type Taker interface {
	Take(ctx context.Context, d collect.Delivery) (collect.Result, error)
}

// Deps are the parts that Queues work with.
type Deps struct {
	Taker       Taker
	Reader      ledger.BatchReader // looks up what was taken in before
	DeadLetters pipeline.DeadLetters
	Consumer    broker.Consumer
	Tenants     *tenant.Directory
	Now         func() time.Time
	Logger      *slog.Logger
	Metrics     prometheus.Registerer
}

// A message is in no other place than its queue, so that it is given up later than work that the ledger can issue
// again: after half an hour or so.
const attempts = 60

// again is the pause before a queue that cannot be consumed is tried again.
const again = 30 * time.Second

// Queues are the inbound queues of all tenants.
type Queues struct {
	Deps
	config Config
}

// New returns the queues.
func New(c Config, d Deps) *Queues { return &Queues{d, c.withDefaults()} }

// Run takes in what comes through the queues until ctx ends and every message at work is done; it returns nil then. A
// queue that cannot be consumed holds up no other.
func (all *Queues) Run(ctx context.Context) error {
	metrics := pipeline.NewMetrics(all.Metrics)
	var working sync.WaitGroup
	for _, t := range all.Tenants.All() {
		for _, configured := range t.Queues {
			q := &queue{Deps: all.Deps, config: all.config, tenant: t, Queue: configured}
			handler := pipeline.NewForeign(pipeline.Config{
				Subscription: Subscription, DeadLetters: all.DeadLetters, Logger: all.Logger, Metrics: metrics, Now: all.Now,
				Attempts: pipeline.Attempts{MaxAttempts: attempts},
			}, q.handle)
			working.Go(func() { q.consume(ctx, handler) })
		}
	}
	working.Wait()
	return nil
}

// queue is one source's way in.
type queue struct {
	Deps
	tenant.Queue

	config Config
	tenant tenant.Tenant
}

func (q *queue) consume(ctx context.Context, h broker.Handler) {
	sub := broker.Subscription{
		Name: Subscription, Type: broker.InboundType(string(q.tenant.ID), q.Source), Concurrency: q.config.Concurrency,
	}
	for {
		err := q.Consumer.Consume(ctx, sub, h)
		if ctx.Err() != nil {
			return
		}
		q.Logger.LogAttrs(
			ctx,
			slog.LevelError,
			"the queue cannot be consumed",
			slog.String(telemetry.KeyType, sub.Type),
			slog.String(telemetry.KeyTenant, string(q.tenant.ID)),
			slog.Any(telemetry.KeyError, err),
		)
		if backoff.Wait(ctx, again) != nil {
			return
		}
	}
}
