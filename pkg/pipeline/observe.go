package pipeline

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/telemetry"
)

// Metrics counts deliveries: one observation each.
type Metrics struct {
	deliveries *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
}

// NewMetrics registers the metrics, or returns those that are registered already: services that share a process share
// them. It panics when the names are taken by other metrics, as prometheus.MustRegister does.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	return &Metrics{
		deliveries: telemetry.Counters(reg, "taxiway_deliveries_total",
			"Messages handled, by subscription, event type, outcome (ack, retry, dead-letter, release) and fault code.",
			"subscription", "type", "outcome", "code"),
		seconds: telemetry.Seconds(
			reg,
			"taxiway_delivery_seconds",
			"Time to handle one message, by subscription and event type.",
			prometheus.ExponentialBuckets(0.001, 4, 10),
			"subscription",
			"type",
		),
	}
}

// observe leaves the one log record and the one metric of a delivery.
func (p *pipe) observe(
	ctx context.Context,
	log *slog.Logger,
	o broker.Outcome,
	err error,
	t event.Type,
	took time.Duration,
) {
	outcome := o.Action.String()
	code := ""
	if o.Action == broker.ActionRetry || o.Action == broker.ActionDeadLetter {
		code = string(fault.CodeOf(err))
	}
	if m := p.Metrics; m != nil {
		label := string(t) // "" for what could not be decoded: the type of a stranger must not become a label
		m.deliveries.WithLabelValues(p.Subscription, label, outcome, code).Inc()
		m.seconds.WithLabelValues(p.Subscription, label).Observe(took.Seconds())
	}
	log = log.With(slog.String("outcome", outcome), slog.Duration("took", took))
	switch o.Action {
	case broker.ActionDeadLetter:
		log.ErrorContext(ctx, "delivery", slog.String(telemetry.KeyCode, code), slog.Any(telemetry.KeyError, err))
	case broker.ActionRetry:
		log.WarnContext(
			ctx,
			"delivery",
			slog.String(telemetry.KeyCode, code),
			slog.Any(telemetry.KeyError, err),
			slog.Duration(telemetry.KeyWait, o.Pause),
		)
	default:
		log.DebugContext(ctx, "delivery")
	}
}

func deliveryKeys(subscription string, d broker.Delivery) []any {
	return []any{
		slog.String(telemetry.KeySubscription, subscription),
		slog.String(telemetry.KeyEvent, d.ID),
		slog.String(telemetry.KeyType, d.Type),
		slog.Int(telemetry.KeyAttempt, d.Attempt),
	}
}

func eventKeys(e event.Event) []any {
	keys := []any{slog.String(telemetry.KeyTenant, string(e.Tenant))}
	add := func(name, value string) {
		if value != "" {
			keys = append(keys, slog.String(name, value))
		}
	}
	add(telemetry.KeyBatch, e.Batch)
	add(telemetry.KeySubmission, e.Submission)
	add(telemetry.KeyTrace, e.Trace)
	if n := len(e.Devices); n > 0 {
		keys = append(keys, slog.Int(telemetry.KeyCount, n))
	}
	return keys
}

type contextKey uint8

const (
	loggerKey contextKey = iota
	traceKey
)

func withLogger(ctx context.Context, log *slog.Logger) context.Context {
	return context.WithValue(ctx, loggerKey, log)
}

func withTrace(ctx context.Context, trace string) context.Context {
	return context.WithValue(ctx, traceKey, trace)
}

// With returns a context whose logger has more keys, as slog.Logger.With takes them.
func With(ctx context.Context, keys ...any) context.Context {
	return withLogger(ctx, Logger(ctx).With(keys...))
}

// Logger returns the logger of the delivery being handled, which carries its keys; outside of a delivery one that is
// silent.
func Logger(ctx context.Context) *slog.Logger {
	if log, ok := ctx.Value(loggerKey).(*slog.Logger); ok {
		return log
	}
	return slog.New(slog.DiscardHandler)
}

// Trace returns the W3C traceparent of the delivery being handled, "" when there is none.
func Trace(ctx context.Context) string {
	trace, _ := ctx.Value(traceKey).(string)
	return trace
}
