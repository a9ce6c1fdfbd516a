package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"taxiway.example/pkg/api"
)

// Letters returns the open dead letters, oldest first; code "" means all.
func (c *Client) Letters(ctx context.Context, code string) iter.Seq2[api.Letter, error] {
	return pages(func(after string) ([]api.Letter, error) {
		query := url.Values{"limit": {strconv.Itoa(letterPage)}}
		for name, value := range map[string]string{"code": code, "after": after} {
			if value != "" {
				query.Set(name, value)
			}
		}
		var page struct {
			Letters []api.Letter `json:"letters"`
		}
		err := c.get(ctx, "/v1/dead-letters", query, &page)
		return page.Letters, err
	}, letterPage, "", func(l api.Letter) string { return l.ID })
}

// Replay puts letters back to work, at most ReplayPage of them, and says of each what became of it.
func (c *Client) Replay(ctx context.Context, ids []string, reason string) ([]api.Replayed, error) {
	var out struct {
		Results []api.Replayed `json:"results"`
	}
	err := c.post(ctx, "/v1/dead-letters/replay", api.Replay{IDs: ids, Reason: reason}, &out)
	return out.Results, err
}
