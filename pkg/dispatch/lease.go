package dispatch

import (
	"context"
	"log/slog"
	"time"

	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

// lease is a lease of the ledger as one process has it.
type lease struct {
	name, owner string
	length      time.Duration
	leases      ledger.Leases
	now         func() time.Time
	log         *slog.Logger
	renewed     time.Time // when it was last taken; zero = not held
}

func newLease(name string, cfg Config, deps Deps) *lease {
	return &lease{name: name, owner: cfg.Owner, length: cfg.Lease, leases: deps.Ledger, now: deps.Now, log: deps.Logger}
}

// hold takes the lease, or renews it when a third of it has passed.
func (l *lease) hold(ctx context.Context) (bool, error) {
	now := l.now()
	if !l.renewed.IsZero() && now.Sub(l.renewed) < l.length/3 {
		return true, nil
	}
	held, err := l.leases.Acquire(ctx, l.name, l.owner, l.length, now.UTC())
	switch {
	case err != nil:
		return false, err
	case held:
		l.renewed = now
	default:
		l.renewed = time.Time{}
	}
	return held, nil
}

// during does work while the process holds the lease, and nothing when another one does. The context of the work ends
// when the lease cannot be renewed.
func (l *lease) during(ctx context.Context, work func(context.Context) error) error {
	if held, err := l.hold(ctx); err != nil || !held {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer stop()
		l.renew(ctx)
	}()
	err := work(ctx)
	stop()
	<-ended
	return err
}

// renew renews the lease until ctx ends or the lease is lost.
func (l *lease) renew(ctx context.Context) {
	for held := true; held; {
		idle(ctx, l.length/3, nil)
		if ctx.Err() != nil {
			return
		}
		held, _ = l.hold(ctx) // an error is as good as a lease that is lost
	}
}

// finish gives the lease back.
func (l *lease) finish(ctx context.Context) {
	if l.renewed.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	if err := l.leases.Release(ctx, l.name, l.owner); err != nil {
		l.warn(ctx, "the lease could not be released and must run out", err)
	}
}

func (l *lease) warn(ctx context.Context, message string, err error, more ...slog.Attr) {
	l.log.LogAttrs(
		ctx,
		slog.LevelWarn,
		message,
		append(more, slog.String(telemetry.KeyLease, l.name), slog.Any(telemetry.KeyError, err))...)
}

// idle waits until d has passed, there is a notification or ctx ends.
func idle(ctx context.Context, d time.Duration, notified <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-notified:
	case <-ctx.Done():
	}
}
