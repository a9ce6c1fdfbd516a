package httpapi

import (
	"net/http"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// getDeadLetters answers with the dead letters the key may see, oldest first.
func (a *API) getDeadLetters(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	params := r.URL.Query()
	limit, err := number(params, "limit", deadletter.DefaultPage, 1, deadletter.MaxPage)
	if err != nil {
		return err
	}
	deadLetters, err := a.DeadLetters.List(r.Context(), decider(p), deadletter.Query{
		Code: fault.Code(params.Get("code")), State: ledger.DeadLetterState(params.Get("state")),
		After: params.Get("after"), Limit: limit,
	})
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
	if n := len(deadLetters); n == limit {
		params.Set("after", deadLetters[n-1].ID)
		page.Next = r.URL.Path + "?" + params.Encode()
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", page)
	return nil
}

// replay puts dead letters back to work and answers what became of each.
func (a *API) replay(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	var req api.Replay
	if err := a.readJSON(w, r, &req, "ids and reason"); err != nil {
		return err
	}
	results, err := a.DeadLetters.Replay(r.Context(), decider(p), req.IDs, req.Reason)
	if err != nil {
		return err
	}
	answer := struct {
		Results []api.Replayed `json:"results"`
	}{Results: make([]api.Replayed, 0, len(results))}
	for _, result := range results {
		answer.Results = append(answer.Results, viewOfResult(result))
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", answer)
	return nil
}
