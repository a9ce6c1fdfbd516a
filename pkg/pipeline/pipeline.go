// Package pipeline is the one way from a broker's delivery to a use case and back. It composes, in one fixed order:
// decode, log keys and trace, recover, timeout of the attempt, outcome, dead letter in the ledger, one log record and
// one metric.
//
// A use case gets an event and returns nil or a fault; the kind of the fault decides what becomes of the message:
//
//	nil                                            acknowledged
//	Transient, Bug                                 tried again after a pause that doubles; a dead letter after
//	                                               Config.MaxAttempts
//	Throttled, Pending                             the same, after the fault's RetryAfter; use cases should rather
//	                                               commit a due time to the ledger and return nil
//	Invalid, NotFound, Conflict, Denied, Permanent a dead letter
//	told to stop                                   released, costs no attempt
package pipeline

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// DeadLetters records messages that become dead letters; ledger.DeadLetterRecorder does.
type DeadLetters interface {
	RecordDeadLetter(ctx context.Context, l ledger.DeadLetter) error
}

// Config is what a pipeline needs. The zero value of an optional field is its default.
type Config struct {
	Subscription string           // where dead letters say the message failed
	DeadLetters  DeadLetters      // required: keeps the index of everything dead
	Logger       *slog.Logger     // optional; default: no log
	Metrics      *Metrics         // optional; default: not counted
	Now          func() time.Time // default time.Now
	Around       Around           // optional: comes between Consume and each use case
	Attempts
}

// Attempts say how often and for how long a message is tried. The zero value of a field is its default.
type Attempts struct {
	Timeout     time.Duration // of one attempt; default 5 minutes
	MaxAttempts int           // default 8
	MinPause    time.Duration // before the second attempt; default 1 s
	MaxPause    time.Duration // longest pause between attempts; default 60 times MinPause
}

func (c Config) withDefaults() Config {
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	c.Timeout = cmp.Or(max(c.Timeout, 0), 5*time.Minute)
	c.MaxAttempts = cmp.Or(max(c.MaxAttempts, 0), 8)
	c.MinPause = cmp.Or(max(c.MinPause, 0), time.Second)
	c.MaxPause = cmp.Or(max(c.MaxPause, 0), 60*c.MinPause)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

type pipe struct {
	Config
	open func(broker.Delivery) (event.Event, error)
	use  func(context.Context, broker.Delivery, event.Event) error
}

// New returns the handler that carries deliveries through the chain to the use case. The use case must be safe to
// repeat.
func New(cfg Config, use func(context.Context, event.Event) error) broker.Handler {
	byEvent := func(ctx context.Context, _ broker.Delivery, e event.Event) error { return use(ctx, e) }
	return (&pipe{cfg.withDefaults(), decode, byEvent}).handle
}

// NewForeign is New for the messages of an inbound queue, which are no events: the use case reads the delivery itself.
func NewForeign(cfg Config, use func(context.Context, broker.Delivery) error) broker.Handler {
	byDelivery := func(ctx context.Context, d broker.Delivery, _ event.Event) error { return use(ctx, d) }
	return (&pipe{cfg.withDefaults(), foreign, byDelivery}).handle
}

func (p *pipe) handle(ctx context.Context, d broker.Delivery) broker.Outcome {
	start := p.Now()
	log := p.Logger.With(deliveryKeys(p.Subscription, d)...)
	e, err := p.open(d)
	if err == nil {
		log = log.With(eventKeys(e)...)
		err = p.attempt(withTrace(withLogger(ctx, log), e.Trace), d, e)
	}
	outcome, err := p.decide(ctx, d, err)
	if outcome.Action == broker.ActionDeadLetter {
		outcome, err = p.record(ctx, d, e, outcome, err)
	}
	p.observe(ctx, log, outcome, err, e.Type, p.Now().Sub(start))
	return outcome
}

// decode reads the event. After a replay the message has an id of its own, which becomes the event's.
func decode(d broker.Delivery) (event.Event, error) {
	e, err := event.Decode(d.Headers, d.Body)
	if err != nil {
		return event.Event{}, err
	}
	if string(e.Type) != d.Type {
		return event.Event{}, fault.New(fault.MessageMalformed, "the message came under another type than its event's")
	}
	if d.ID != "" && d.ID != e.ID {
		if e.ReplayOf == "" {
			e.ReplayOf = e.ID
		}
		e.ID = d.ID
	}
	return e, nil
}

// foreign makes of a delivery what log, dead letter and metric need of an event. Its type is that of the queue.
func foreign(d broker.Delivery) (event.Event, error) {
	return event.Event{ID: d.ID, Type: event.Type(d.Type), Tenant: knownTenant(d.Tenant)}, nil
}

// attempt calls the use case once: it may neither panic nor take longer than the timeout.
func (p *pipe) attempt(ctx context.Context, d broker.Delivery, e event.Event) error {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	return guarded(ctx, func(ctx context.Context) error { return p.use(ctx, d, e) })
}

// Guard returns work that is no delivery's, such as a periodic job: it finds the logger in its context, and a panic in
// it is an error.
func Guard(log *slog.Logger, work func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error { return guarded(withLogger(ctx, log), work) }
}

func guarded(ctx context.Context, work func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicked(ctx, r)
		}
	}()
	return work(ctx)
}
