package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"taxiway.example/pkg/api"
)

// DeadLetters returns the open dead letters, oldest first; code "" means all.
func (c *Client) DeadLetters(ctx context.Context, code string) iter.Seq2[api.DeadLetter, error] {
	return pages(func(after string) ([]api.DeadLetter, error) {
		query := url.Values{"limit": {strconv.Itoa(deadLetterPage)}}
		for name, value := range map[string]string{"code": code, "after": after} {
			if value != "" {
				query.Set(name, value)
			}
		}
		var page struct {
			DeadLetters []api.DeadLetter `json:"deadLetters"`
		}
		err := c.get(ctx, "/v1/dead-letters", query, &page)
		return page.DeadLetters, err
	}, deadLetterPage, "", func(l api.DeadLetter) string { return l.ID })
}

// Replay puts dead letters back to work, at most ReplayPage of them, and says of each what became of it.
func (c *Client) Replay(ctx context.Context, ids []string, reason string) ([]api.Replayed, error) {
	var out struct {
		Results []api.Replayed `json:"results"`
	}
	err := c.post(ctx, "/v1/dead-letters/replay", api.Replay{IDs: ids, Reason: reason}, &out)
	return out.Results, err
}
