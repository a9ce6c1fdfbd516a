// Package dispatch issues work from the ledger: whatever is due, and whatever is overdue because its message was lost. It is
// what makes waiting and throttling cheap (a handler commits a due time and acknowledges) and a broker replaceable.
//
// Each stage has one dispatcher at a time in the whole installation, by a lease in the ledger. Issuing twice is harmless:
// the handlers skip devices that have moved on. But it is work, and so a process that is overloaded issues less: see Load.
package dispatch

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/ledger"
)

// Stage is a kind of work.
type Stage string

// The stages.
const (
	Import      = Stage(device.StageImport) // collected devices, as devices.collected events
	Group       = Stage(device.StageGroup)  // registered, tagged and grouped devices, as devices.registered events
	Submissions = Stage("submissions")      // submissions to look at, as submissions.due events
)

// Config says what to issue and how often. The zero value of an optional field is its default.
type Config struct {
	Stages    []Stage       // those that this service serves
	Source    string        // of the events, e.g. "/taxiway/importer"
	Owner     string        // who holds the leases: unique among all processes
	Interval  time.Duration // between two looks at the ledger; default 2 s
	Lease     time.Duration // how long a dead dispatcher is waited for; default 30 s
	Overdue   time.Duration // when issued work that nobody moved is issued again; default 10 min
	PerTenant int           // devices or submissions of one tenant before it is the next one's turn; default 500
}

func (c Config) withDefaults() Config {
	c.Interval = cmp.Or(max(c.Interval, 0), 2*time.Second)
	c.Lease = cmp.Or(max(c.Lease, 0), 30*time.Second)
	c.Overdue = cmp.Or(max(c.Overdue, 0), 10*time.Minute)
	c.PerTenant = cmp.Or(max(c.PerTenant, 0), 500)
	return c
}

// Ledger is what a dispatcher needs of the ledger.
type Ledger interface {
	ledger.DueDevices
	ledger.DueSubmissions
	ledger.Tenants
	ledger.Leases
}

// Emitter publishes events durably; repeating a call with the same events is safe. pipeline.Emitter is one.
type Emitter interface {
	Emit(ctx context.Context, events ...event.Event) error
}

// Deps are the dispatcher's neighbours.
type Deps struct {
	Ledger  Ledger
	Emitter Emitter
	Bell    *Bell            // optional: rings when work was committed that is due at once
	Load    *Load            // optional: what the handlers of this process do
	Logger  *slog.Logger     // optional; default: no log
	Now     func() time.Time // optional; default time.Now
}

// finishTimeout bounds what is left to do after ctx has ended.
const finishTimeout = 5 * time.Second

// Run issues work until ctx ends, and returns nil then. It survives errors of ledger and broker.
func Run(ctx context.Context, cfg Config, deps Deps) error {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Bell == nil {
		deps.Bell = new(Bell)
	}
	var all sync.WaitGroup
	for _, stage := range cfg.Stages {
		d := &dispatcher{Config: cfg.withDefaults(), Deps: deps, stage: stage}
		all.Go(func() { d.run(ctx) })
	}
	all.Wait()
	return nil
}

// Bell wakes the dispatchers of a process before their interval is over. The zero value is ready to use.
type Bell struct {
	mu      sync.Mutex
	hearers []chan struct{}
}

// Ring wakes every dispatcher that listens; it never blocks.
func (b *Bell) Ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.hearers {
		select {
		case c <- struct{}{}:
		default: // it is awake already
		}
	}
}

func (b *Bell) listen() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := make(chan struct{}, 1)
	b.hearers = append(b.hearers, c)
	return c
}
