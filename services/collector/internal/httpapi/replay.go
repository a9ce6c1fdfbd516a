package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

// maxReplay is how many dead letters one request may replay.
const maxReplay = 100

// replay puts dead devices and parked messages back to work, one by one, each with an entry in the audit.
func (a *API) replay(w http.ResponseWriter, r *http.Request, p principal) error {
	req, err := a.readReplay(w, r)
	if err != nil {
		return err
	}
	answer := struct {
		Results []api.Replayed `json:"results"`
	}{Results: make([]api.Replayed, 0, len(req.IDs))}
	for _, id := range req.IDs {
		deadLetter, err := a.deadLetter(r.Context(), p, id)
		result := api.Replayed{ID: id, Outcome: api.OutcomeReplayed}
		if err == nil {
			err = a.replayOne(r.Context(), p, deadLetter, &result)
		}
		if err != nil {
			result.Outcome, result.Code, result.Detail = api.OutcomeFailed, fault.CodeOf(err), fault.DetailOf(err)
			a.Logger.LogAttrs(r.Context(), slog.LevelWarn, "dead letter not replayed", slog.String(telemetry.KeyCode, string(result.Code)), slog.Any(telemetry.KeyError, err))
		}
		a.audit(r.Context(), p, deadLetter, req.Reason, &result)
		answer.Results = append(answer.Results, result)
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", answer)
	return nil
}

func (a *API) readReplay(w http.ResponseWriter, r *http.Request) (api.Replay, error) {
	var req api.Replay
	if err := a.readJSON(w, r, &req, "ids and reason"); err != nil {
		return req, err
	}
	req.Reason = strings.TrimSpace(req.Reason)
	slices.Sort(req.IDs)
	req.IDs = slices.Compact(req.IDs)
	switch {
	case len(req.IDs) == 0 || len(req.IDs) > maxReplay:
		return req, fault.Newf(fault.RequestInvalid, "Name 1 to %d dead letters in ids.", maxReplay)
	case !isText(req.IDs...) || !isText(req.Reason):
		return req, fault.New(fault.RequestInvalid, "The texts in ids and reason hold no NUL.")
	case req.Reason == "" || len(req.Reason) > maxText:
		return req, fault.Newf(fault.RequestInvalid, "Say why in reason, in at most %d bytes.", maxText)
	}
	return req, nil
}

// deadLetter returns an open dead letter that the key may see.
func (a *API) deadLetter(ctx context.Context, p principal, id string) (ledger.DeadLetter, error) {
	q := p.deadLetters()
	q.IDs, q.Limit = []string{id}, 1
	for _, state := range []ledger.DeadLetterState{ledger.DeadLetterOpen, ledger.DeadLetterReplayed} {
		q.State = state
		found, err := a.Desk.DeadLetters(ctx, q)
		switch {
		case err != nil:
			return ledger.DeadLetter{}, err
		case len(found) == 1 && state == ledger.DeadLetterReplayed:
			return found[0], fault.New(fault.DeviceNotReplayable, "The dead letter was replayed before.")
		case len(found) == 1:
			return found[0], nil
		}
	}
	return ledger.DeadLetter{}, fault.New(fault.RequestNotFound, "There is no such dead letter.")
}

// replayOne puts one dead letter back to work.
func (a *API) replayOne(ctx context.Context, p principal, l ledger.DeadLetter, result *api.Replayed) error {
	if l.Device == "" {
		return a.replayMessage(ctx, p, l, result)
	}
	d, err := a.Desk.Revive(ctx, l.ID, a.Now().UTC(), actor(p))
	result.Device = d.ID
	return err
}

// replayMessage puts a message back into the broker, and closes its dead letter when it is there. The new id comes from the dead
// letter, so that a replay that broke off halfway is gone on with.
func (a *API) replayMessage(ctx context.Context, p principal, l ledger.DeadLetter, result *api.Replayed) error {
	fresh := uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s/%d", l.ID, l.Replays)).String()
	if err := a.DeadLetters.Replay(ctx, l.Subscription, l.Message, fresh); err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return a.closeGone(ctx, p, l, result)
		}
		return err
	}
	result.Message = fresh
	if err := a.closeDeadLetter(ctx, p, l); err != nil {
		result.Detail = "The message is back at work, but its dead letter could not be closed; replay it again in a few minutes to close it."
		a.Logger.LogAttrs(ctx, slog.LevelError, "dead letter not closed", slog.String("dead_letter", l.ID), slog.Any(telemetry.KeyError, err))
	}
	return nil
}

// settling is how old a dead letter must be before its message is taken for gone: it is written before the message is parked.
const settling = 2 * time.Minute

// closeGone closes the dead letter of a message that the broker does not hold any more: there is nothing left to replay, and work
// whose message was lost is issued again from the ledger.
func (a *API) closeGone(ctx context.Context, p principal, l ledger.DeadLetter, result *api.Replayed) error {
	if a.Now().Sub(l.At) < settling {
		return fault.New(fault.RequestNotFound, "The broker does not hold the message yet; try again in a few minutes.")
	}
	if err := a.closeDeadLetter(ctx, p, l); err != nil {
		return err
	}
	result.Outcome, result.Code = api.OutcomeGone, fault.RequestNotFound
	result.Detail = "The broker does not hold the message any more; it may have been replayed before. The dead letter is closed."
	return nil
}

// The bounds of a write to the ledger that must not end with the request: what it tells of has happened.
const (
	writing    = 10 * time.Second
	writeTries = 3
	writePause = 200 * time.Millisecond
)

// closeDeadLetter closes a message's dead letter, whether or not the client is still there.
func (a *API) closeDeadLetter(ctx context.Context, p principal, l ledger.DeadLetter) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writing)
	defer cancel()
	for try := 1; ; try++ {
		err := a.Desk.CloseDeadLetter(ctx, l.ID, actor(p), a.Now().UTC())
		if err == nil || try == writeTries {
			return err
		}
		select {
		case <-time.After(writePause):
		case <-ctx.Done():
			return err
		}
	}
}

func actor(p principal) string { return "operator:" + p.name }

// audit keeps who did what. A lost entry does not undo a replay, so it is said in the answer and in the log.
func (a *API) audit(ctx context.Context, p principal, l ledger.DeadLetter, reason string, result *api.Replayed) {
	tenant := l.Tenant
	if tenant == "" {
		tenant = p.tenant.ID
	}
	if result.Outcome != api.OutcomeFailed {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), writing)
		defer cancel()
	}
	err := a.Desk.Append(ctx, ledger.AuditEntry{
		At: a.Now().UTC(), Tenant: tenant, Actor: actor(p), Action: "dead_letter.replay", Object: result.ID, Reason: reason,
		Outcome: strings.TrimSpace(fmt.Sprintf("%s %s", result.Outcome, result.Code)),
	})
	if err != nil {
		result.Detail = strings.TrimSpace(result.Detail + " The entry in the audit could not be written.")
		a.Logger.LogAttrs(ctx, slog.LevelError, "audit entry lost", slog.String("object", result.ID), slog.Any(telemetry.KeyError, err))
	}
}
