package httpapi

import (
	"net/http"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// The sizes of pages of letters.
const (
	defaultLetters = 100
	maxLetters     = 1000
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
