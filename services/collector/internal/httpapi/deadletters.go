package httpapi

import (
	"net/http"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// The sizes of pages of dead letters.
const (
	defaultDeadLetters = 100
	maxDeadLetters     = 1000
)

// getLetters answers with the open dead letters the key may see, oldest first.
func (a *API) getDeadLetters(w http.ResponseWriter, r *http.Request, p principal) error {
	params := r.URL.Query()
	q := p.deadLetters()
	q.Code, q.State, q.After = fault.Code(params.Get("code")), ledger.DeadLetterState(params.Get("state")), params.Get("after")
	if q.State != "" && q.State != ledger.DeadLetterOpen && q.State != ledger.DeadLetterReplayed {
		return fault.New(fault.RequestInvalid, "The parameter state must be open or replayed.")
	}
	var err error
	if q.Limit, err = number(params, "limit", defaultDeadLetters, 1, maxDeadLetters); err != nil {
		return err
	}
	deadLetters, err := a.Desk.DeadLetters(r.Context(), q)
	if err != nil {
		return err
	}
	page := struct {
		DeadLetters []api.DeadLetter `json:"deadLetters"`
		Next        string           `json:"next,omitempty"`
	}{DeadLetters: make([]api.DeadLetter, 0, len(deadLetters))}
	for _, l := range deadLetters {
		page.DeadLetters = append(page.DeadLetters, viewOfDeadLetter(l))
	}
	if n := len(deadLetters); n == q.Limit {
		params.Set("after", deadLetters[n-1].ID)
		page.Next = r.URL.Path + "?" + params.Encode()
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", page)
	return nil
}
