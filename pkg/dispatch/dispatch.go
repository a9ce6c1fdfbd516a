// Package dispatch is what the ledger sets going. It issues work: whatever is due, and whatever is overdue because its
// message was lost. That makes waiting and throttling cheap (a handler commits a due time and acknowledges) and a
// broker replaceable. And it does periodic jobs.
//
// Each stage and each job has one process at a time in the whole installation, by a lease in the ledger. Issuing twice
// is harmless: the handlers skip devices that have moved on. But it is work, and so a process that is overloaded issues
// less: see Load.
package dispatch

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

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
	Submissions = Stage(
		"submissions",
	) // submissions whose devices wait for their outcome, as submissions.due events
)

// Config says what to do.
type Config struct {
	Stages []Stage // those that this service serves
	Source string  // of the events, e.g. "/taxiway/importer"
	Jobs   []Job
	Owner  string // who holds the leases: unique among all processes; default a fresh UUID
	Timings
}

// Timings say how often and how much. The zero value of a field is its default.
type Timings struct {
	Interval  time.Duration // between two reads of the ledger; default 2 s
	Lease     time.Duration // how long a dead process is waited for; default 30 s
	Overdue   time.Duration // when issued work that nobody moved is issued again; default 10 min
	PerTenant int           // devices or submissions of one tenant before it is the next one's turn; default 500
}

func (t Timings) withDefaults() Timings {
	t.Interval = cmp.Or(max(t.Interval, 0), 2*time.Second)
	t.Lease = cmp.Or(max(t.Lease, 0), 30*time.Second)
	t.Overdue = cmp.Or(max(t.Overdue, 0), 10*time.Minute)
	t.PerTenant = cmp.Or(max(t.PerTenant, 0), 500)
	return t
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
	Ledger   Ledger
	Emitter  Emitter
	Notifier *Notifier        // optional: notifies when work was committed that is due at once
	Load     *Load            // optional: what the handlers of this process do
	Logger   *slog.Logger     // optional; default: no log
	Now      func() time.Time // optional; default time.Now
}

func (d Deps) withDefaults() Deps {
	d.Logger = cmp.Or(d.Logger, slog.New(slog.DiscardHandler))
	d.Notifier = cmp.Or(d.Notifier, new(Notifier))
	if d.Now == nil {
		d.Now = time.Now
	}
	return d
}

// finishTimeout bounds what is left to do after ctx has ended.
const finishTimeout = 5 * time.Second

// task is a stage or a job.
type task interface {
	run(ctx context.Context)
	round(ctx context.Context) error // once, if this process has the lease
	finish(ctx context.Context)
}

// Run issues work and does jobs until ctx ends, and returns nil then. It survives errors of ledger and broker.
func Run(ctx context.Context, cfg Config, deps Deps) error {
	var all sync.WaitGroup
	for _, t := range tasks(cfg, deps) {
		all.Go(func() {
			defer t.finish(ctx)
			t.run(ctx)
		})
	}
	all.Wait()
	return nil
}

// Once issues what is due now and does each job once, as far as no other process has the lease. It is Run for tests
// that go step by step.
func Once(ctx context.Context, cfg Config, deps Deps) error {
	var errs []error
	for _, t := range tasks(cfg, deps) {
		errs = append(errs, t.round(ctx))
		t.finish(ctx)
	}
	return errors.Join(errs...)
}

func tasks(cfg Config, deps Deps) (all []task) {
	deps = deps.withDefaults()
	cfg.Owner = cmp.Or(cfg.Owner, uuid.NewString())
	cfg.Timings = cfg.withDefaults()
	for _, stage := range cfg.Stages {
		all = append(
			all,
			&dispatcher{Config: cfg, Deps: deps, stage: stage, lease: newLease("dispatch/"+string(stage), cfg, deps)},
		)
	}
	for _, job := range cfg.Jobs {
		all = append(all, &repeater{Job: job, lease: newLease("job/"+job.Name, cfg, deps)})
	}
	return all
}

// Notifier wakes the dispatchers of a process before their interval is over. The zero value is ready to use.
type Notifier struct {
	mu      sync.Mutex
	waiting []chan struct{}
}

// Notify wakes every dispatcher of the process; it never blocks.
func (n *Notifier) Notify() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.waiting {
		select {
		case c <- struct{}{}:
		default: // it is awake already
		}
	}
}

func (n *Notifier) notifications() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := make(chan struct{}, 1)
	n.waiting = append(n.waiting, c)
	return c
}
