package deadletter

import (
	"cmp"
	"context"
	"slices"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// The sizes of pages of dead letters.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// Query selects dead letters.
type Query struct {
	Code  fault.Code             // "" = all
	State ledger.DeadLetterState // "" = open
	After string                 // those whose ids are greater
	Limit int                    // at most MaxPage; 0 = DefaultPage
}

var states = []ledger.DeadLetterState{ledger.DeadLetterOpen, ledger.DeadLetterReplayed, ledger.DeadLetterClosed}

// List returns the dead letters that the operator may see, oldest first. A state or a limit that does not exist is a
// fault.RequestInvalid.
func (s *Service) List(ctx context.Context, by Operator, q Query) ([]ledger.DeadLetter, error) {
	switch {
	case q.State != "" && !slices.Contains(states, q.State):
		return nil, fault.New(fault.RequestInvalid, "The parameter state must be open, replayed or closed.")
	case q.Limit < 0 || q.Limit > MaxPage:
		return nil, fault.Newf(fault.RequestInvalid, "The parameter limit must be a number from 1 to %d.", MaxPage)
	}
	visible := by.visible()
	visible.Code = q.Code
	visible.State = q.State
	visible.After = q.After
	visible.Limit = cmp.Or(q.Limit, DefaultPage)
	return s.deps.Ledger.DeadLetters(ctx, visible)
}

// visible returns the query that finds the dead letters the operator may see.
func (o Operator) visible() ledger.DeadLetterQuery {
	return ledger.DeadLetterQuery{Tenant: o.Tenant, All: o.Tenant == ""}
}

// find returns an open dead letter that the operator may see. With one that was replayed or closed before comes a
// fault.DeviceNotReplayable.
func (s *Service) find(ctx context.Context, by Operator, id string) (ledger.DeadLetter, error) {
	q := by.visible()
	q.IDs = []string{id}
	q.Limit = 1
	for _, state := range states {
		q.State = state
		found, err := s.deps.Ledger.DeadLetters(ctx, q)
		switch {
		case err != nil:
			return ledger.DeadLetter{}, err
		case len(found) == 1 && state != ledger.DeadLetterOpen:
			return found[0], fault.Newf(fault.DeviceNotReplayable, "The dead letter was %s before.", state)
		case len(found) == 1:
			return found[0], nil
		}
	}
	return ledger.DeadLetter{}, fault.New(fault.RequestNotFound, "There is no such dead letter.")
}
