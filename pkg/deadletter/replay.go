package deadletter

import (
	"context"
	"log/slog"
	"slices"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

// MaxReplay is how many dead letters one call replays.
const MaxReplay = 100

// Outcome is how the replay of one dead letter ended.
type Outcome string

// The outcomes.
const (
	Replayed Outcome = "replayed" // the work is back
	Gone     Outcome = "gone"     // the broker does not hold the message any more; nothing was sent, only closed
	Failed   Outcome = "failed"   // nothing was changed
)

// Result is what became of one dead letter of a replay.
type Result struct {
	ID      string
	Outcome Outcome
	Code    fault.Code // why it is not Replayed
	Detail  string     // safe to show
	Device  string     // the device that is back
	Message string     // the new id of the message that is back
}

// Replay puts dead letters back to work, one by one, and says of each what became of it, by id: a device goes back to
// the stage it died at, a message to the subscription it failed on, under a new id. An id named twice is replayed once;
// one that the operator may not see fails as one that does not exist. No dead letter is closed before its work is back,
// and each has an entry in the audit.
//
// Fewer than 1 or more than MaxReplay ids, or no reason, are a fault.RequestInvalid, and nothing is replayed.
func (s *Service) Replay(ctx context.Context, by Operator, ids []string, reason string) ([]Result, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	switch {
	case len(ids) == 0 || len(ids) > MaxReplay:
		return nil, fault.Newf(fault.RequestInvalid, "Name 1 to %d dead letters in ids.", MaxReplay)
	case !ledger.IsText(ids...):
		return nil, fault.New(fault.RequestInvalid, "The ids are UTF-8 without NUL.")
	}
	reason, err := checkReason(reason)
	if err != nil {
		return nil, err
	}
	results := make([]Result, 0, len(ids))
	for _, id := range ids {
		results = append(results, s.replay(ctx, by, id, reason))
	}
	return results, nil
}

func (s *Service) replay(ctx context.Context, by Operator, id, reason string) Result {
	result := Result{ID: id, Outcome: Replayed}
	l, err := s.find(ctx, by, id)
	if err == nil {
		err = s.putBack(ctx, by, l, &result)
	}
	if err != nil {
		result.Outcome = Failed
		result.Code = fault.CodeOf(err)
		result.Detail = fault.DetailOf(err)
		s.deps.Logger.LogAttrs(ctx, slog.LevelWarn, "dead letter not replayed",
			slog.String(telemetry.KeyCode, string(result.Code)), slog.Any(telemetry.KeyError, err))
	}
	s.auditReplay(ctx, by, l.Tenant, reason, &result)
	return result
}

func (s *Service) putBack(ctx context.Context, by Operator, l ledger.DeadLetter, result *Result) error {
	if l.Device == "" {
		return s.putBackMessage(ctx, by, l, result)
	}
	d, err := s.deps.Ledger.Revive(ctx, l.ID, s.deps.Now().UTC(), by.actor())
	result.Device = d.ID
	return err
}
