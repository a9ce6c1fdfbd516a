package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
)

// records is a ledger that keeps dead letters, or fails.
type records struct {
	kept []ledger.DeadLetter
	err  error
}

func (l *records) RecordDeadLetter(_ context.Context, d ledger.DeadLetter) error {
	if l.err == nil {
		l.kept = append(l.kept, d)
	}
	return l.err
}

var at = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func sample() event.Event {
	return event.Event{
		ID: "e1", Type: event.DevicesCollected, Source: "/test", Tenant: "contoso", Time: at, Batch: "b1",
		Devices: []string{"d1", "d2"}, Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

func delivery(t *testing.T, e event.Event, attempt int) broker.Delivery {
	t.Helper()
	attrs, body, err := event.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	m := broker.Message{ID: e.ID, Type: string(e.Type), Tenant: string(e.Tenant), Headers: attrs, Body: body}
	return broker.Delivery{Message: m, Attempt: attempt}
}

func TestOutcomeByKind(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	throttled := fault.New(fault.GraphThrottled, "wait")
	transient := fault.New(fault.LedgerUnavailable, "down")
	tests := map[string]struct {
		ctx     context.Context
		err     error
		attempt int
		action  broker.Action
		code    fault.Code // of the dead letter
		min     time.Duration
		max     time.Duration
	}{
		"done":                    {action: broker.ActionAcknowledge},
		"transient":               {err: transient, action: broker.ActionRetry, min: time.Second / 2, max: time.Second},
		"transient, third":        {err: transient, attempt: 3, action: broker.ActionRetry, min: 2 * time.Second, max: 4 * time.Second},
		"transient, longest":      {err: transient, attempt: 7, action: broker.ActionRetry, min: 5 * time.Second, max: 10 * time.Second},
		"transient, last":         {err: transient, attempt: 8, action: broker.ActionDeadLetter, code: fault.MessageExhausted},
		"no fault":                {err: errors.New("x"), action: broker.ActionRetry, min: time.Second / 2, max: time.Second},
		"no fault, last":          {err: errors.New("x"), attempt: 9, action: broker.ActionDeadLetter, code: fault.MessageExhausted},
		"throttled":               {err: throttled.After(5 * time.Second), action: broker.ActionRetry, min: 5 * time.Second, max: 5 * time.Second},
		"throttled for long":      {err: throttled.After(time.Hour), action: broker.ActionRetry, min: 10 * time.Second, max: 10 * time.Second},
		"throttled, no time":      {err: fmt.Errorf("so: %w", throttled), action: broker.ActionRetry, min: time.Second, max: time.Second},
		"throttled, last":         {err: throttled, attempt: 8, action: broker.ActionDeadLetter, code: fault.MessageExhausted},
		"pending":                 {err: fault.New(fault.AutopilotPending, ""), action: broker.ActionRetry, min: time.Second, max: time.Second},
		"invalid":                 {err: fault.New(fault.RequestInvalid, ""), action: broker.ActionDeadLetter, code: fault.RequestInvalid},
		"not found":               {err: fault.New(fault.RequestNotFound, ""), action: broker.ActionDeadLetter, code: fault.RequestNotFound},
		"conflict":                {err: fault.New(fault.DeviceConflictEK, ""), action: broker.ActionDeadLetter, code: fault.DeviceConflictEK},
		"denied":                  {err: fault.New(fault.GraphForbidden, ""), action: broker.ActionDeadLetter, code: fault.GraphForbidden},
		"permanent":               {err: fault.New(fault.TenantUnknown, ""), action: broker.ActionDeadLetter, code: fault.TenantUnknown},
		"bug":                     {err: fault.New(fault.InternalPanic, ""), action: broker.ActionRetry, min: time.Second / 2, max: time.Second},
		"told to stop":            {ctx: stopped, err: fmt.Errorf("so: %w", context.Canceled), action: broker.ActionRelease},
		"stopped by a driver":     {ctx: stopped, err: fault.New(fault.LedgerUnavailable, "interrupted"), attempt: 8, action: broker.ActionRelease},
		"permanent while stopped": {ctx: stopped, err: fault.New(fault.TenantUnknown, ""), action: broker.ActionDeadLetter, code: fault.TenantUnknown},
		"canceled by itself":      {err: context.Canceled, action: broker.ActionRetry, min: time.Second / 2, max: time.Second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.ctx == nil {
				tc.ctx = t.Context()
			}
			kept := &records{}
			h := pipeline.New(
				pipeline.Config{
					Subscription: "importer",
					DeadLetters:  kept,
					Attempts:     pipeline.Attempts{MaxPause: 10 * time.Second},
				},
				func(context.Context, event.Event) error { return tc.err },
			)
			out := h(tc.ctx, delivery(t, sample(), max(tc.attempt, 1)))
			if out.Action != tc.action || out.Pause < tc.min || out.Pause > tc.max {
				t.Errorf("got %s after %s, want %s after %s to %s", out.Action, out.Pause, tc.action, tc.min, tc.max)
			}
			var got fault.Code
			if len(kept.kept) == 1 {
				got = kept.kept[0].Code
			}
			if got != tc.code || out.Reason != tc.code {
				t.Errorf("dead letters %v, reason %q, want %q", kept.kept, out.Reason, tc.code)
			}
		})
	}
}

// What is no event goes the same way: one outcome, one dead letter, one metric.
func TestForeignMessages(t *testing.T) {
	t.Parallel()
	kept := &records{}
	reg := prometheus.NewRegistry()
	answers := map[string]error{
		"good":  nil,
		"bad":   fault.New(fault.MessageMalformed, "no JSON"),
		"later": fault.New(fault.LedgerUnavailable, "down"),
	}
	h := pipeline.NewForeign(
		pipeline.Config{Subscription: "collector", DeadLetters: kept, Metrics: pipeline.NewMetrics(reg)},
		func(_ context.Context, d broker.Delivery) error {
			return answers[string(d.Body)]
		},
	)
	for body, want := range map[string]broker.Action{"good": broker.ActionAcknowledge, "bad": broker.ActionDeadLetter, "later": broker.ActionRetry} {
		m := broker.InboundMessage("inbound.contoso.oem-a", "SERIAL", []byte(body))
		if out := h(t.Context(), broker.Delivery{Message: m, Attempt: 1}); out.Action != want {
			t.Errorf("%s: %s", body, out.Action)
		}
	}
	if len(kept.kept) != 1 || kept.kept[0].Tenant != "contoso" || kept.kept[0].Type != "inbound.contoso.oem-a" ||
		kept.kept[0].Code != fault.MessageMalformed {
		t.Errorf("%+v", kept.kept)
	}
	if n, err := testutil.GatherAndCount(reg, "taxiway_deliveries_total"); n != 3 || err != nil {
		t.Errorf("%d series: %v", n, err)
	}
}

func TestDeadLetterSaysEverythingNeededToDecide(t *testing.T) {
	t.Parallel()
	kept := &records{}
	h := pipeline.New(
		pipeline.Config{
			Subscription: "importer",
			DeadLetters:  kept,
			Now:          func() time.Time { return at },
			Attempts:     pipeline.Attempts{MaxAttempts: 3},
		},
		func(context.Context, event.Event) error {
			return fault.New(fault.LedgerUnavailable, "the disk is full")
		},
	)
	_ = h(t.Context(), delivery(t, sample(), 3))
	if len(kept.kept) != 1 {
		t.Fatal(kept.kept)
	}
	got := kept.kept[0]
	if got.ID == "" {
		t.Error("no id")
	}
	got.ID = ""
	want := ledger.DeadLetter{
		Tenant: "contoso", Message: "e1", Subscription: "importer", Type: "devices.collected.v1",
		Code:   fault.MessageExhausted,
		Detail: "3 attempts; the last failed with ledger.unavailable: the disk is full", Attempts: 3,
		State: ledger.DeadLetterOpen, At: at,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoDeadLetterWithoutARecord(t *testing.T) {
	t.Parallel()
	kept := &records{err: fault.New(fault.LedgerUnavailable, "down")}
	h := pipeline.New(
		pipeline.Config{DeadLetters: kept},
		func(context.Context, event.Event) error { return fault.New(fault.TenantUnknown, "") },
	)
	out := h(t.Context(), delivery(t, sample(), 100))
	if out.Action != broker.ActionRetry {
		t.Errorf("got %s", out.Action)
	}
}

func TestWhatCannotBeDecodedIsADeadLetter(t *testing.T) {
	t.Parallel()
	good := delivery(t, sample(), 1)
	tests := map[string]struct {
		damage func(*broker.Delivery)
		code   fault.Code
	}{
		"empty": {func(d *broker.Delivery) {
			d.Headers = nil
			d.Body = nil
		}, fault.MessageMalformed},
		"unknown type": {func(d *broker.Delivery) { d.Headers["type"] = "devices.collected.v9" }, fault.MessageUnknownType},
		"other type":   {func(d *broker.Delivery) { d.Type = "devices.ready.v1" }, fault.MessageMalformed},
		"odd tenant": {func(d *broker.Delivery) {
			d.Tenant = "'; DROP TABLE"
			d.Body = nil
		}, fault.MessageMalformed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := good
			d.Headers = map[string]string{}
			for k, v := range good.Headers {
				d.Headers[k] = v
			}
			tc.damage(&d)
			kept := &records{}
			h := pipeline.New(pipeline.Config{DeadLetters: kept}, func(context.Context, event.Event) error {
				t.Error("the use case was called")
				return nil
			})
			if out := h(t.Context(), d); out.Action != broker.ActionDeadLetter || out.Reason != tc.code {
				t.Errorf("got %+v", out)
			}
			if len(kept.kept) != 1 || kept.kept[0].Tenant != "contoso" && kept.kept[0].Tenant != "" {
				t.Errorf("dead letters %+v", kept.kept)
			}
		})
	}
}

func TestReplayBecomesTheEventsID(t *testing.T) {
	t.Parallel()
	d := delivery(t, sample(), 1)
	d.ID = "e1-r1"
	var got event.Event
	h := pipeline.New(
		pipeline.Config{DeadLetters: &records{}},
		func(_ context.Context, e event.Event) error { got = e; return nil },
	)
	if out := h(t.Context(), d); out != broker.Acknowledge() {
		t.Fatal(out)
	}
	if got.ID != "e1-r1" || got.ReplayOf != "e1" {
		t.Errorf("id %q, replay of %q", got.ID, got.ReplayOf)
	}
}

// TestOrder holds the chain to its order: what fails inside is seen by everything outside of it.
func TestOrder(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		use  func(context.Context, event.Event) error
		want map[string]any
	}{
		"a panic is recovered inside of outcome, log and metric": {
			use:  func(context.Context, event.Event) error { panic("secret-serial") },
			want: map[string]any{"outcome": "retry", "code": "internal.panic"},
		},
		"the timeout is inside of recover and outcome": {
			use:  func(ctx context.Context, _ event.Event) error { <-ctx.Done(); return ctx.Err() },
			want: map[string]any{"outcome": "retry", "code": "internal.unknown"},
		},
		"a panic after the timeout": {
			use:  func(ctx context.Context, _ event.Event) error { <-ctx.Done(); panic(ctx.Err()) },
			want: map[string]any{"outcome": "retry", "code": "internal.panic"},
		},
		"keys and trace are there before the use case runs": {
			use: func(ctx context.Context, e event.Event) error {
				if pipeline.Trace(ctx) != e.Trace || e.Trace == "" {
					return fault.New(fault.TenantUnknown, "no trace")
				}
				pipeline.Logger(pipeline.With(ctx, "submission", "s1")).Info("inside")
				return fault.New(fault.RequestInvalid, "")
			},
			want: map[string]any{"outcome": "dead-letter", "code": "request.invalid"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				reg := prometheus.NewRegistry()
				h := pipeline.New(pipeline.Config{
					Subscription: "importer", DeadLetters: &records{}, Metrics: pipeline.NewMetrics(reg),
					Attempts: pipeline.Attempts{Timeout: time.Minute},
					Logger:   slog.New(slog.NewJSONHandler(&out, nil)),
				}, tc.use)
				_ = h(t.Context(), delivery(t, sample(), 2))
				if strings.Contains(out.String(), "secret-serial") {
					t.Error("the value of a panic was logged")
				}
				lines := strings.Split(strings.TrimSpace(out.String()), "\n")
				deliveries := 0
				for _, line := range lines {
					record := map[string]any{}
					if err := json.Unmarshal([]byte(line), &record); err != nil {
						t.Fatal(err)
					}
					for key, want := range map[string]any{"event": "e1", "tenant": "contoso", "subscription": "importer", "attempt": 2.0, "batch": "b1", "count": 2.0} {
						if record[key] != want {
							t.Errorf("%s: %s is %v, want %v", record["msg"], key, record[key], want)
						}
					}
					if record["msg"] == "inside" && record["submission"] != "s1" {
						t.Errorf("the key that was added is missing: %v", record)
					}
					if record["msg"] != "delivery" {
						continue
					}
					deliveries++
					for key, want := range tc.want {
						if record[key] != want {
							t.Errorf("%s is %v, want %v", key, record[key], want)
						}
					}
				}
				if n := testutil.CollectAndCount(reg, "taxiway_deliveries_total"); n != 1 || deliveries != 1 {
					t.Errorf("%d metrics and %d log records of one delivery", n, deliveries)
				}
			})
		})
	}
}

func TestMetricsAreSharedInAProcess(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	for range 2 {
		h := pipeline.New(
			pipeline.Config{Subscription: "importer", DeadLetters: &records{}, Metrics: pipeline.NewMetrics(reg)},
			func(context.Context, event.Event) error { return nil },
		)
		if out := h(t.Context(), delivery(t, sample(), 1)); out != broker.Acknowledge() {
			t.Fatal(out)
		}
	}
	want := `# HELP taxiway_deliveries_total Messages handled, by subscription, event type, outcome (ack, retry, dead-letter, release) and fault code.
# TYPE taxiway_deliveries_total counter
taxiway_deliveries_total{code="",outcome="ack",subscription="importer",type="devices.collected.v1"} 2
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "taxiway_deliveries_total"); err != nil {
		t.Error(err)
	}
}

// published is a broker that keeps what is published.
type published struct {
	messages []broker.Message
	err      error
}

func (p *published) Publish(_ context.Context, m ...broker.Message) error {
	p.messages = append(p.messages, m...)
	return p.err
}

func TestEmitter(t *testing.T) {
	t.Parallel()
	pub := &published{}
	em := pipeline.NewEmitter(pub)
	child := sample()
	child.ID = "e2"
	child.Trace = ""
	h := pipeline.New(
		pipeline.Config{DeadLetters: &records{}},
		func(ctx context.Context, _ event.Event) error { return em.Emit(ctx, child) },
	)
	if out := h(t.Context(), delivery(t, sample(), 1)); out != broker.Acknowledge() {
		t.Fatal(out)
	}
	if len(pub.messages) != 1 {
		t.Fatal(pub.messages)
	}
	m := pub.messages[0]
	if m.ID != "e2" || m.Type != "devices.collected.v1" || m.Tenant != "contoso" ||
		m.Headers["traceparent"] != sample().Trace {
		t.Errorf("%+v", m)
	}
	if err := em.Emit(t.Context()); err != nil {
		t.Error(err)
	}
	if err := em.Emit(t.Context(), sample(), event.Event{}); fault.CodeOf(err) != fault.MessageMalformed ||
		len(pub.messages) != 1 {
		t.Errorf("%v, %d messages: a call with a broken event publishes nothing", err, len(pub.messages))
	}
}
