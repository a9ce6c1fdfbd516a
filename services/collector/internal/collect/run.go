package collect

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

// run is one delivery on its way in. Three stages work side by side and hand chunks on: read, check, commit. At
// most five chunks exist at once, so memory does not grow with the delivery.
type run struct {
	*Service

	delivery Delivery
	next     func() (intake.Row, error, bool)
	result   Result
	readErr  error // why the rows broke off
	quiet    bool  // publishing failed; the dispatcher has the rest
}

func (r *run) take(ctx context.Context, first intake.Row) (Result, error) {
	rows := make(chan []intake.Row, 1)
	classified := make(chan []intake.Candidate, 1)
	// What was read is committed even if the sender is gone by now: a row that stands is a row not sent again.
	group, work := errgroup.WithContext(context.WithoutCancel(ctx))
	group.Go(func() error { defer close(rows); return r.read(work, first, rows) })
	group.Go(func() error { defer close(classified); return r.classify(work, rows, classified) })
	group.Go(func() error { return r.commit(work, classified) })
	err := group.Wait()
	if err == nil {
		err = r.readErr
	}
	return r.result, r.close(ctx, err)
}

// read gathers chunks. An error of the rows is kept for later, so that what was read before it is still committed.
func (r *run) read(ctx context.Context, row intake.Row, out chan<- []intake.Row) error {
	for more := true; more; {
		chunk := make([]intake.Row, 0, r.config.Chunk)
		for more && len(chunk) < r.config.Chunk {
			chunk = append(chunk, row)
			var err error
			row, err, more = r.next()
			if err != nil {
				r.readErr = err
				more = false
			}
		}
		select {
		case out <- chunk:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *run) classify(ctx context.Context, in <-chan []intake.Row, out chan<- []intake.Candidate) error {
	for chunk := range in {
		select {
		case out <- r.candidates(ctx, chunk):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *run) commit(ctx context.Context, in <-chan []intake.Candidate) error {
	for chunk := range in {
		receipts, err := r.accept(ctx, chunk)
		if err != nil {
			return err
		}
		r.count(receipts)
		r.publish(ctx, receipts)
	}
	return nil
}

// committing bounds one transaction.
const committing = 30 * time.Second

func (r *run) accept(ctx context.Context, chunk []intake.Candidate) ([]ledger.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, committing)
	defer cancel()
	return r.Ledger.Accept(ctx, r.result.Batch, chunk, ledger.Terms{
		Due: r.Now().UTC().Add(r.config.Grace), Recheck: r.config.Recheck,
	})
}

func (r *run) count(receipts []ledger.Receipt) {
	for _, receipt := range receipts {
		r.result.Rows++
		r.result.Outcomes[receipt.Outcome]++
		r.rows.WithLabelValues(string(r.delivery.Tenant.ID), string(receipt.Outcome), string(receipt.Code)).Inc()
		if len(receipt.Warnings) > 0 {
			r.result.Warned++
		}
		if receipt.Failed() {
			r.result.Failed++
		}
		if receipt.Failed() && len(r.result.Problems) < r.config.Problems {
			r.result.Problems = append(r.result.Problems, receipt)
		}
		if receipt.Device != "" && len(r.result.Devices) < r.config.Problems {
			r.result.Devices = append(r.result.Devices, receipt.Device)
		}
	}
}

// publish tells the importer of devices that are accepted or start over. It does not fail: what nobody hears of is
// issued again when it is due.
func (r *run) publish(ctx context.Context, receipts []ledger.Receipt) {
	var ids []string
	for _, receipt := range receipts {
		if receipt.Outcome == device.Accepted || receipt.Code == fault.DeviceReturned {
			ids = append(ids, receipt.Device)
		}
	}
	for chunk := range slices.Chunk(ids, event.MaxChunk) {
		if r.quiet {
			r.events.WithLabelValues("left_to_dispatcher").Inc()
			continue
		}
		e := event.ForDevices(event.DevicesCollected, event.Source("collector"), r.delivery.Tenant.ID, chunk, r.Now())
		e.Batch = r.result.Batch.ID
		if err := r.emit(ctx, e); err != nil {
			r.quiet = true
			r.events.WithLabelValues("failed").Inc()
			r.Logger.LogAttrs(ctx, slog.LevelWarn, "event not published; the dispatcher will issue the work",
				slog.String(telemetry.KeyBatch, e.Batch), slog.String(telemetry.KeyTenant, string(e.Tenant)),
				slog.String(telemetry.KeyCode, string(fault.CodeOf(err))), slog.Any(telemetry.KeyError, err))
			continue
		}
		r.events.WithLabelValues("published").Inc()
	}
}

func (r *run) emit(ctx context.Context, e event.Event) error {
	ctx, cancel := context.WithTimeout(ctx, r.config.Publish)
	defer cancel()
	return r.Events.Emit(ctx, e)
}

// closing bounds the last write of a delivery whose own context may have ended.
const closing = 10 * time.Second

// close gives the batch its final state. A delivery that was interrupted and can be sent again under its key stays
// open.
func (r *run) close(ctx context.Context, cause error) error {
	if cause != nil && !isContent(cause) && r.delivery.IdempotencyKey != "" {
		return cause
	}
	b := r.result.Batch
	b.State = ledger.Complete
	b.Closed = r.Now().UTC()
	switch {
	case cause != nil:
		b.State = ledger.Failed
		b.Code = fault.CodeOf(cause)
		b.Detail = fault.DetailOf(cause)
		if !fault.Is(cause) {
			b.Code = fault.RequestTruncated
			b.Detail = "the delivery was interrupted"
		}
	default:
		b.Digest = r.delivery.digest()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	if err := r.Ledger.CloseBatch(ctx, b); err != nil {
		return errors.Join(cause, err)
	}
	r.result.Batch = b
	return cause
}

// isContent reports whether the same bytes sent again would fail the same way.
func isContent(err error) bool {
	return fault.KindOf(err) == fault.Invalid && !fault.Is(err, fault.RequestTruncated)
}

// repeat answers a delivery whose batch is closed: with the failure it ended in, or, if it is the same again, with its
// batch.
func (r *run) repeat() (Result, error) {
	r.result.Repeated = true
	b := r.result.Batch
	if b.State == ledger.Failed {
		return r.result, fault.New(
			b.Code,
			b.Detail+" This answers the first delivery with this key; send a corrected one under another key.",
		)
	}
	for more := true; more; {
		var err error
		if _, err, more = r.next(); err != nil {
			if !isContent(err) {
				return Result{}, err
			}
			return Result{}, errOtherBody()
		}
	}
	if digest := r.delivery.digest(); digest != b.Digest && digest != "" && b.Digest != "" {
		return Result{}, errOtherBody()
	}
	return r.result, nil
}

func errOtherBody() error {
	return fault.New(fault.RequestConflict, "A delivery with this key and another body was taken in before.")
}
