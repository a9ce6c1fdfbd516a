package graph

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"taxiway.example/pkg/fault"
)

// maxPages bounds a listing; at 1000 items a page it is ten times a very large tenant.
const maxPages = 10_000

// page is one page of a collection (Microsoft page "Paging Microsoft Graph data in your app").
type page[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"@odata.nextLink"`
}

// List iterates over a collection. It follows nextLink as it is, within the configured host only, sends the request's
// headers with each page, and drops items whose id it has seen, because Graph's cursors repeat items at page borders. A
// cursor that does not advance, or an answer without items, ends in an error: a partial list never looks like a whole
// one. After an error the iteration ends.
func List[T any](ctx context.Context, c *Client, r Request, id func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		r.Method = http.MethodGet
		links := map[string]bool{}
		seen := map[string]bool{}
		for address := c.origin + "/" + string(r.Version) + r.target(); address != ""; {
			if links[address] || len(links) == maxPages {
				yield(none, fault.New(fault.GraphUnexpected, "the list's cursor does not advance"))
				return
			}
			links[address] = true
			p, err := fetch[T](ctx, c, r, address)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range p.Value {
				if key := id(item); key != "" && seen[key] {
					continue
				} else if seen[key] = true; !yield(item, nil) {
					return
				}
			}
			address = p.Next
		}
	}
}

func fetch[T any](ctx context.Context, c *Client, r Request, address string) (page[T], error) {
	var p page[T]
	address, err := c.pin(address)
	if err != nil {
		return p, err
	}
	if err := c.send(ctx, &call{class: r.class(), cost: 1, hide: r.Hide}, r, address, &p); err != nil {
		return p, err
	}
	if p.Value == nil {
		return p, fault.New(fault.GraphUnexpected, "the list's answer has no items member")
	}
	return p, nil
}

// pin refuses a link to another host, which would be handed our token. Raw blanks, which the service has been seen to
// put into its cursors, cannot stand in a request line.
func (c *Client) pin(address string) (string, error) {
	address = strings.ReplaceAll(address, " ", "%20")
	u, err := url.Parse(address)
	if err != nil || u.User != nil || !strings.EqualFold(u.Scheme+"://"+u.Host, c.origin) {
		return "", fault.New(fault.GraphUnexpected, "the list's next link leads to another host")
	}
	return address, nil
}
