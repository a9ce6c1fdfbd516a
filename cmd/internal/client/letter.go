package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// Letter is a dead letter: a device given up, or a message nobody could use.
type Letter struct {
	ID           string             `json:"id"`
	Tenant       string             `json:"tenant,omitempty"`
	Device       string             `json:"device,omitempty"`
	From         ledger.State       `json:"from,omitempty"` // the state the device died in
	Message      string             `json:"message,omitempty"`
	Subscription string             `json:"subscription,omitempty"`
	Type         string             `json:"type,omitempty"`
	Code         fault.Code         `json:"code"`
	Title        string             `json:"title"`
	Detail       string             `json:"detail,omitempty"`
	Hint         string             `json:"hint"`
	Attempts     int                `json:"attempts"`
	Replays      int                `json:"replays"`
	State        ledger.LetterState `json:"state"`
	At           time.Time          `json:"at"`
}

// Replayed is what became of one letter of a replay.
type Replayed struct {
	ID      string     `json:"id"`
	Outcome string     `json:"outcome"` // "replayed" or "failed"
	Code    fault.Code `json:"code,omitempty"`
	Detail  string     `json:"detail,omitempty"`
	Device  string     `json:"device,omitempty"`
	Message string     `json:"message,omitempty"` // the new id of a message
}

// OK reports whether the letter is back at work.
func (r Replayed) OK() bool { return r.Outcome == "replayed" }

// Letters returns the open dead letters, oldest first; code "" means all.
func (c *Client) Letters(ctx context.Context, code string) iter.Seq2[Letter, error] {
	return pages(func(after string) ([]Letter, error) {
		query := url.Values{"limit": {strconv.Itoa(letterPage)}}
		for name, value := range map[string]string{"code": code, "after": after} {
			if value != "" {
				query.Set(name, value)
			}
		}
		var page struct {
			Letters []Letter `json:"letters"`
		}
		err := c.get(ctx, "/v1/dead-letters", query, &page)
		return page.Letters, err
	}, letterPage, "", func(l Letter) string { return l.ID })
}

// Replay puts letters back to work, at most ReplayPage of them, and says of each what became of it.
func (c *Client) Replay(ctx context.Context, ids []string, reason string) ([]Replayed, error) {
	var out struct {
		Results []Replayed `json:"results"`
	}
	in := struct {
		IDs    []string `json:"ids"`
		Reason string   `json:"reason"`
	}{ids, reason}
	err := c.post(ctx, "/v1/dead-letters/replay", in, &out)
	return out.Results, err
}
