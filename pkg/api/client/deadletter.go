package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"taxiway.example/pkg/api"
)

// DeadLetters returns the open dead letters that the key may see, oldest first; code "" means all. It needs an
// operator's key: one of a tenant sees the tenant's, one of no tenant all. Pages are read as the caller goes on; an
// error is the last thing it yields.
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

// Replay puts dead letters back to work, 1 to [ReplayPage] of them, and says of each what became of it, by id. It needs
// an operator's key and a reason of at most 255 bytes, which the audit keeps. That one of them cannot be replayed is no
// error: its outcome is api.OutcomeFailed, with a code.
func (c *Client) Replay(ctx context.Context, ids []string, reason string) ([]api.Replayed, error) {
	var out struct {
		Results []api.Replayed `json:"results"`
	}
	err := c.post(ctx, "/v1/dead-letters/replay", api.Replay{IDs: ids, Reason: reason}, &out)
	return out.Results, err
}
