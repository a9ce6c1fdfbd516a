package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"time"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/services/collector/internal/answer"
	"taxiway.example/services/collector/internal/collect"
)

// handle takes a message in, and tells its sender when that is decided.
func (q *queue) handle(ctx context.Context, d broker.Delivery) error {
	id := d.Headers[broker.AttrID]
	result, err := q.take(ctx, id, d.Body)
	if d.Reply != nil && (err == nil || isFinal(err)) {
		if lost := q.reply(ctx, d, id, result, err); lost != nil {
			q.Logger.LogAttrs(ctx, slog.LevelWarn, "the sender was not answered", slog.String(telemetry.KeyEvent, d.ID),
				slog.String(telemetry.KeyTenant, string(q.tenant.ID)), slog.Any(telemetry.KeyError, lost))
		}
	}
	return err
}

func (q *queue) take(ctx context.Context, id string, body []byte) (collect.Result, error) {
	if len(body) > q.config.MaxBody {
		return collect.Result{}, fault.Newf(
			fault.MessageTooLarge,
			"The message has %d bytes, the limit is %d.",
			len(body),
			q.config.MaxBody,
		)
	}
	rows, err := parse(body, q.config.MaxDevices)
	if err != nil {
		return collect.Result{}, err
	}
	result, err := q.Taker.Take(ctx, collect.Delivery{
		Tenant: q.tenant, Source: q.Source, Name: id, IdempotencyKey: collect.QueueKey(q.Source, id), GroupTag: q.GroupTag,
		Rows: func(yield func(intake.Row, error) bool) {
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		},
		Digest: func() string {
			sum := sha256.Sum256(body)
			return hex.EncodeToString(sum[:])
		},
	})
	if fault.Is(err, fault.RequestInProgress) {
		// A delivery that lost its lease is still at work: this one is the same message, and comes too early.
		err = &fault.Error{Kind: fault.Pending, Code: fault.RequestInProgress, RetryAfter: busy, Err: err}
	}
	return result, err
}

// busy is the pause for a message that is being taken in already.
const busy = 10 * time.Second

// isFinal reports whether the pipeline gives a message up at once.
func isFinal(err error) bool {
	switch fault.KindOf(err) {
	case fault.Transient, fault.Bug, fault.Throttled, fault.Pending:
		return false
	}
	return true
}

// receipt is the answer to a message that was taken in.
type receipt struct {
	Message string `json:"message"`
	api.Receipt
}

// refusal is the answer to a message that was given up.
type refusal struct {
	Message string     `json:"message"`
	Code    fault.Code `json:"code"`
	Title   string     `json:"title"`
	Detail  string     `json:"detail,omitempty"`
	Hint    string     `json:"hint"`
}

const replyTimeout = 5 * time.Second

func (q *queue) reply(ctx context.Context, d broker.Delivery, id string, result collect.Result, err error) error {
	ctx, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	var told any
	switch {
	case err != nil:
		entry, _ := fault.Lookup(fault.CodeOf(err))
		told = refusal{
			Message: id,
			Code:    fault.CodeOf(err),
			Title:   entry.Title,
			Detail:  fault.DetailOf(err),
			Hint:    entry.Hint,
		}
	case result.Repeated:
		again, err := answer.Repeated(ctx, q.Reader, result.Batch)
		if err != nil {
			return err
		}
		told = receipt{id, again}
	default:
		told = receipt{id, answer.ReceiptOf(result)}
	}
	body, err := json.Marshal(told)
	if err != nil {
		return err
	}
	return d.Reply(ctx, body)
}
