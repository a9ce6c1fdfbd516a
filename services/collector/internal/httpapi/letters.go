package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
)

// The sizes of pages of letters, and of a replay.
const (
	defaultLetters = 100
	maxLetters     = 1000
	maxReplay      = 100
)

// getLetters answers with the open dead letters the key may see, oldest first.
func (a *API) getLetters(w http.ResponseWriter, r *http.Request, p principal) error {
	params := r.URL.Query()
	q := p.letters()
	q.Code, q.State, q.After = fault.Code(params.Get("code")), ledger.LetterState(params.Get("state")), params.Get("after")
	if q.State != "" && q.State != ledger.LetterOpen && q.State != ledger.LetterReplayed {
		return fault.New(fault.RequestInvalid, "The parameter state must be open or replayed.")
	}
	var err error
	if q.Limit, err = number(params, "limit", defaultLetters, 1, maxLetters); err != nil {
		return err
	}
	letters, err := a.Desk.Letters(r.Context(), q)
	if err != nil {
		return err
	}
	page := struct {
		Letters []api.Letter `json:"letters"`
		Next    string       `json:"next,omitempty"`
	}{Letters: make([]api.Letter, 0, len(letters))}
	for _, l := range letters {
		page.Letters = append(page.Letters, viewOfLetter(l))
	}
	if n := len(letters); n == q.Limit {
		params.Set("after", letters[n-1].ID)
		page.Next = r.URL.Path + "?" + params.Encode()
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", page)
	return nil
}

// replay puts dead devices and parked messages back to work, one by one, each with an entry in the audit.
func (a *API) replay(w http.ResponseWriter, r *http.Request, p principal) error {
	if err := checkType(r, []string{"application/json"}); err != nil {
		return err
	}
	req, err := a.readReplay(w, r)
	if err != nil {
		return err
	}
	answer := struct {
		Results []api.Replayed `json:"results"`
	}{Results: make([]api.Replayed, 0, len(req.IDs))}
	for _, id := range req.IDs {
		letter, err := a.letter(r.Context(), p, id)
		result := api.Replayed{ID: id, Outcome: api.OutcomeReplayed}
		if err == nil {
			err = a.replayOne(r.Context(), p, letter, &result)
		}
		if err != nil {
			result.Outcome, result.Code, result.Detail = api.OutcomeFailed, fault.CodeOf(err), fault.DetailOf(err)
			a.Logger.LogAttrs(r.Context(), slog.LevelWarn, "letter not replayed", slog.String(telemetry.KeyCode, string(result.Code)), slog.Any(telemetry.KeyError, err))
		}
		a.audit(r.Context(), p, letter, req.Reason, &result)
		answer.Results = append(answer.Results, result)
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", answer)
	return nil
}

func (a *API) readReplay(w http.ResponseWriter, r *http.Request) (api.Replay, error) {
	var req api.Replay
	content, err := a.newBody(w, r, a.config.MaxDevice, a.config.MaxDevice)
	if err != nil {
		return req, err
	}
	dec := json.NewDecoder(content)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		return req, fault.Wrap(err, fault.RequestInvalid, "The body must be a JSON object with ids and reason.")
	}
	req.Reason = strings.TrimSpace(req.Reason)
	slices.Sort(req.IDs)
	req.IDs = slices.Compact(req.IDs)
	switch {
	case len(req.IDs) == 0 || len(req.IDs) > maxReplay:
		return req, fault.Newf(fault.RequestInvalid, "Name 1 to %d letters in ids.", maxReplay)
	case !isText(req.IDs...) || !isText(req.Reason):
		return req, fault.New(fault.RequestInvalid, "The texts in ids and reason hold no NUL.")
	case req.Reason == "" || len(req.Reason) > maxText:
		return req, fault.Newf(fault.RequestInvalid, "Say why in reason, in at most %d bytes.", maxText)
	}
	return req, nil
}

// letter returns an open letter that the key may see.
func (a *API) letter(ctx context.Context, p principal, id string) (ledger.Letter, error) {
	q := p.letters()
	q.IDs, q.Limit = []string{id}, 1
	for _, state := range []ledger.LetterState{ledger.LetterOpen, ledger.LetterReplayed} {
		q.State = state
		found, err := a.Desk.Letters(ctx, q)
		switch {
		case err != nil:
			return ledger.Letter{}, err
		case len(found) == 1 && state == ledger.LetterReplayed:
			return found[0], fault.New(fault.DeviceNotReplayable, "The letter was replayed before.")
		case len(found) == 1:
			return found[0], nil
		}
	}
	return ledger.Letter{}, fault.New(fault.RequestNotFound, "There is no such letter.")
}

// replayOne puts one letter back to work. A message's letter is closed only when its message is back in the broker.
func (a *API) replayOne(ctx context.Context, p principal, l ledger.Letter, result *api.Replayed) error {
	by := actor(p)
	if l.Device != "" {
		d, err := a.Desk.Revive(ctx, l.ID, a.Now().UTC(), by)
		result.Device = d.ID
		return err
	}
	fresh := uuid.Must(uuid.NewV7()).String()
	if err := a.Parking.Unpark(ctx, l.Subscription, l.Message, fresh); err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return fault.Wrap(err, fault.RequestNotFound, "The broker does not hold the message any more; it may have been replayed before.")
		}
		return err
	}
	result.Message = fresh
	return a.Desk.CloseLetter(ctx, l.ID, by, a.Now().UTC())
}

func actor(p principal) string { return "operator:" + p.name }

// audit keeps who did what. A lost entry does not undo a replay, so it is said in the answer and in the log.
func (a *API) audit(ctx context.Context, p principal, l ledger.Letter, reason string, result *api.Replayed) {
	tenant := l.Tenant
	if tenant == "" {
		tenant = p.tenant.ID
	}
	err := a.Desk.Append(ctx, ledger.AuditEntry{
		At: a.Now().UTC(), Tenant: tenant, Actor: actor(p), Action: "letter.replay", Object: result.ID, Reason: reason,
		Outcome: strings.TrimSpace(fmt.Sprintf("%s %s", result.Outcome, result.Code)),
	})
	if err != nil {
		result.Detail = strings.TrimSpace(result.Detail + " The entry in the audit could not be written.")
		a.Logger.LogAttrs(ctx, slog.LevelError, "audit entry lost", slog.String("object", result.ID), slog.Any(telemetry.KeyError, err))
	}
}
