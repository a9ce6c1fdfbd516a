// Package collect is the use case of taking devices in, whatever way they came: read the hash, check the row, name the
// device, commit it to the ledger, tell the importer. A row is taken in when its chunk is committed, not before; the
// events that follow only save time, since the dispatcher issues work that nobody heard of.
package collect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/validate"
)

// Ledger is what taking in needs of the ledger.
type Ledger interface {
	ledger.BatchWriter
	ledger.Acceptor
}

// Emitter publishes events.
type Emitter interface {
	Emit(ctx context.Context, events ...event.Event) error
}

// Config is how rows are taken in; zero fields take the defaults.
type Config struct {
	Chunk    int           // rows in one transaction; default 500
	Workers  int           // hashes read at once; default one for each core
	Grace    time.Duration // until the dispatcher takes an accepted device for forgotten; default 30 s
	Publish  time.Duration // how long publishing one event may take; default 5 s
	Problems int           // receipts of failed rows that a Result carries; default 100
	Recheck  time.Duration // after Autopilot last showed a ready device, the least time to its next check; default 15 min
}

func (c Config) withDefaults() Config {
	c.Chunk = cmp.Or(max(c.Chunk, 0), 500)
	c.Workers = cmp.Or(max(c.Workers, 0), runtime.GOMAXPROCS(0))
	c.Grace = cmp.Or(max(c.Grace, 0), 30*time.Second)
	c.Publish = cmp.Or(max(c.Publish, 0), 5*time.Second)
	c.Problems = cmp.Or(max(c.Problems, 0), 100)
	c.Recheck = cmp.Or(max(c.Recheck, 0), 15*time.Minute)
	return c
}

// Deps are the parts a Service works with.
type Deps struct {
	Ledger  Ledger
	Events  Emitter
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics prometheus.Registerer
}

// Service takes devices in. It is safe for concurrent use.
type Service struct {
	Deps

	config Config
	rules  *validate.Validator
	rows   *prometheus.CounterVec
	events *prometheus.CounterVec

	mu     sync.Mutex
	active map[string]bool // idempotency keys at work in this process
}

// New returns a Service.
func New(c Config, d Deps) (*Service, error) {
	rules, err := validate.New()
	if err != nil {
		return nil, fmt.Errorf("collect: %w", err)
	}
	s := &Service{Deps: d, config: c.withDefaults(), rules: rules, active: map[string]bool{}}
	s.rows = telemetry.Counters(
		d.Metrics,
		"taxiway_collector_rows_total",
		"Rows taken in, by tenant, outcome and code.",
		"tenant",
		"outcome",
		"code",
	)
	s.events = telemetry.Counters(d.Metrics, "taxiway_collector_events_total",
		"Chunk events by what became of them; lost ones are left to the dispatcher.", "outcome")
	return s, nil
}

// Delivery is rows from one sender for one tenant.
type Delivery struct {
	Tenant         tenant.Tenant
	Source         string // who sent it
	Name           string // the sender's name for it
	IdempotencyKey string // the sender's key, "" for none
	GroupTag       string // for rows without one
	Operator       bool   // the sender may change what other senders asked for
	Rows           iter.Seq2[intake.Row, error]
	Digest         func() string // hex SHA-256 of what was sent, asked for after the last row; nil when nobody knows
}

// digest tells the delivery from another one: by what was sent, and by the tag for rows without one; "" when nobody
// knows.
func (d Delivery) digest() string {
	if d.Digest == nil {
		return ""
	}
	sent := d.Digest()
	if d.GroupTag == "" {
		return sent
	}
	sum := sha256.Sum256([]byte(sent + " " + d.GroupTag))
	return hex.EncodeToString(sum[:])
}

// Result is what became of the rows of a delivery.
type Result struct {
	Batch    ledger.Batch
	Repeated bool // the same delivery was taken in before; counts and problems are to be looked up
	Rows     int
	Warned   int // rows with warnings
	Outcomes map[device.RowOutcome]int
	Failed   int              // rows that somebody has to look at
	Problems []ledger.Receipt // the first rows that somebody has to look at
	Devices  []string         // the first devices, in the order of the rows
}

// Take takes a delivery in. The batch is opened with the first row: an error before that leaves nothing behind, and a
// delivery without rows is a fault.FileEmpty. It ends when the rows end: whoever wants to stop it earlier ends them
// with an error.
//
// When the rows break off with an error, those before it stand, the Result counts them, and the error is returned with
// it. An interrupted delivery with an idempotency key stays open, and sending it again goes on with it; any other is
// closed as failed. The same key with another body is a fault.RequestConflict, while at work a fault.RequestInProgress.
func (s *Service) Take(ctx context.Context, d Delivery) (Result, error) {
	release, err := s.claim(d)
	if err != nil {
		return Result{}, err
	}
	defer release()
	next, stop := iter.Pull2(d.Rows)
	defer stop()
	first, err, ok := next()
	switch {
	case !ok:
		return Result{}, fault.New(fault.FileEmpty, "There is a header, and no row below it.")
	case err != nil:
		return Result{}, err
	}
	batch, existed, err := s.Ledger.OpenBatch(ctx, s.batch(d))
	if err != nil {
		return Result{}, err
	}
	r := &run{Service: s, delivery: d, next: next, result: Result{Batch: batch, Outcomes: map[device.RowOutcome]int{}}}
	if existed && batch.State != ledger.Receiving {
		return r.repeat()
	}
	return r.take(ctx, first)
}

func (s *Service) batch(d Delivery) ledger.Batch {
	return ledger.Batch{
		ID: uuid.Must(uuid.NewV7()).String(), Tenant: d.Tenant.ID, Source: d.Source, Name: d.Name,
		IdempotencyKey: d.IdempotencyKey, State: ledger.Receiving, Created: s.Now().UTC(),
	}
}

// claim keeps one process from taking in the same delivery twice at once. Two processes may: the ledger answers
// each row the same both times.
func (s *Service) claim(d Delivery) (release func(), err error) {
	if d.IdempotencyKey == "" {
		return func() {}, nil
	}
	key := string(d.Tenant.ID) + "\x00" + d.IdempotencyKey
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active[key] {
		return nil, fault.New(fault.RequestInProgress, "A delivery with this key is being taken in.").After(time.Second)
	}
	s.active[key] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.active, key)
	}, nil
}
