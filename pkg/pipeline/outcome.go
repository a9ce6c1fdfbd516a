package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/backoff"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// decide maps the error of an attempt to an outcome, and returns the error that the outcome is reported with. It is the
// only such mapping.
func (p *pipe) decide(ctx context.Context, d broker.Delivery, err error) (broker.Outcome, error) {
	if err == nil {
		return broker.Acknowledge(), nil
	}
	kind := fault.KindOf(err)
	if ctx.Err() != nil && (fault.IsCancel(err) || kind == fault.Transient) {
		return broker.Release(), err
	}
	switch kind {
	case fault.Transient, fault.Bug:
		return p.retry(d, p.pause(d.Attempt), err)
	case fault.Throttled, fault.Pending:
		return p.retry(d, min(max(fault.RetryAfterOf(err), p.MinPause), p.MaxPause), err)
	}
	return broker.DeadLetter(err), err
}

func (p *pipe) retry(d broker.Delivery, pause time.Duration, err error) (broker.Outcome, error) {
	if d.Attempt < p.MaxAttempts {
		return broker.RetryAfter(pause), err
	}
	detail := fmt.Sprintf("%d attempts; the last failed with %s", d.Attempt, fault.CodeOf(err))
	if last := fault.DetailOf(err); last != "" {
		detail += ": " + last
	}
	err = fault.Wrap(err, fault.MessageExhausted, detail)
	return broker.DeadLetter(err), err
}

// pause doubles with each attempt and is then shortened by up to a half, so that messages which failed together do not
// come back together.
func (p *pipe) pause(attempt int) time.Duration {
	d := backoff.Doubled(p.MinPause, attempt-1, p.MaxPause)
	return backoff.Jitter(d/2, d)
}

// record writes the dead letter to the ledger before the broker moves the message: an entry without a message is found
// by the operator who replays it, a message without an entry by no one. When the ledger cannot take it, the message
// comes again.
func (p *pipe) record(
	ctx context.Context,
	d broker.Delivery,
	e event.Event,
	o broker.Outcome,
	why error,
) (broker.Outcome, error) {
	tenant := e.Tenant
	if tenant == "" {
		tenant = knownTenant(d.Tenant)
	}
	err := p.DeadLetters.RecordDeadLetter(ctx, ledger.DeadLetter{
		ID:           uuid.Must(uuid.NewV7()).String(),
		Tenant:       tenant,
		Message:      d.ID,
		Subscription: p.Subscription,
		Type:         d.Type,
		Code:         o.Reason,
		Detail:       o.Detail,
		Attempts:     d.Attempt,
		State:        ledger.DeadLetterOpen,
		At:           p.Now().UTC(),
	})
	switch {
	case err == nil:
		return o, why
	case ctx.Err() != nil:
		return broker.Release(), err
	}
	return broker.RetryAfter(p.pause(d.Attempt)), fmt.Errorf("recording the dead letter: %w", err)
}

// knownTenant returns the tenant of a message that could not be decoded, when it can be one.
func knownTenant(s string) device.TenantID {
	if id := device.TenantID(s); id.Valid() {
		return id
	}
	return ""
}

// panicked turns a panic into a fault. The value may hold anything, so only errors of the runtime are logged by their
// text.
func panicked(ctx context.Context, value any) error {
	what := fmt.Sprintf("%T", value)
	if e, ok := value.(runtime.Error); ok {
		what = e.Error()
	}
	Logger(
		ctx,
	).ErrorContext(ctx, "panic in a use case", slog.String("panic", what), slog.String("stack", string(debug.Stack())))
	return fault.New(fault.InternalPanic, "a use case panicked; the stack is in the log")
}
