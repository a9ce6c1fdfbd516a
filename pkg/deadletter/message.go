package deadletter

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

// putBackMessage puts a message back into the broker, and closes its dead letter when it is there. The new id comes
// from the dead letter, so that a replay that broke off halfway is gone on with.
func (s *Service) putBackMessage(ctx context.Context, by Operator, l ledger.DeadLetter, result *Result) error {
	fresh := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s/%d", l.ID, l.Replays)).String()
	if err := s.deps.Queues.Replay(ctx, l.Subscription, l.Message, fresh); err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return s.closeGone(ctx, by, l, result)
		}
		return err
	}
	result.Message = fresh
	if err := s.closeEntry(ctx, by, l); err != nil {
		result.Detail = "The message is back at work, but its dead letter could not be closed; " +
			"replay it again in a few minutes to close it."
		s.deps.Logger.LogAttrs(ctx, slog.LevelError, "dead letter not closed",
			slog.String("dead_letter", l.ID), slog.Any(telemetry.KeyError, err))
	}
	return nil
}

// graceOfQueue is how old a dead letter must be before its message is taken for gone: it is in the ledger before the
// message is in the dead-letter queue.
const graceOfQueue = 2 * time.Minute

// closeGone closes the dead letter of a message that the broker does not hold any more: there is nothing left to
// replay, and work whose message was lost is issued again from the ledger.
func (s *Service) closeGone(ctx context.Context, by Operator, l ledger.DeadLetter, result *Result) error {
	if s.deps.Now().Sub(l.At) < graceOfQueue {
		return fault.New(fault.RequestNotFound, "The broker does not hold the message yet; try again in a few minutes.")
	}
	if err := s.closeEntry(ctx, by, l); err != nil {
		return err
	}
	result.Outcome = Gone
	result.Code = fault.RequestNotFound
	result.Detail = "The broker does not hold the message any more; it may have been replayed before. " +
		"The dead letter is closed."
	return nil
}

// The closing of a dead letter is tried more than once: its message is back.
const (
	closeTries = 3
	closePause = 200 * time.Millisecond
)

// closeEntry closes the dead letter of a message, whether or not the caller is still there.
func (s *Service) closeEntry(ctx context.Context, by Operator, l ledger.DeadLetter) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	for try := 1; ; try++ {
		err := s.deps.Ledger.CloseDeadLetter(ctx, l.ID, by.actor(), s.deps.Now().UTC())
		if err == nil || try == closeTries {
			return err
		}
		select {
		case <-time.After(closePause):
		case <-ctx.Done():
			return err
		}
	}
}
