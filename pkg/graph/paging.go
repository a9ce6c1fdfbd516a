package graph

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"taxiway.example/pkg/fault"
)

// maxPages bounds a listing; at 1000 items a page it is ten times a very large tenant.
const maxPages = 10_000

// maxIdle is how many pages in a row may bring nothing new. A page of a filtered list may be empty and link on.
const maxIdle = 20

// page is one page of a collection (Microsoft page "Paging Microsoft Graph data in your app").
type page[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"@odata.nextLink"`
}

// List iterates over a collection. It follows nextLink as it is, within the configured host only, sends the request's
// headers with each page, and drops items whose id it has seen, because Graph's cursors repeat items at page borders. A
// partial list never looks like a whole one: an answer without items ends in an error, and a cursor that does not
// advance in a fault.GraphListStuck. After an error the iteration ends.
//
// The cursor of Autopilot's devices is a serial number. Where the last page ends within a run of equal ones, its link
// leads to itself: with a page that is not full this is the end. A full page may hide more of the run.
func List[T any](ctx context.Context, c *Client, r Request, id func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		r.Method = http.MethodGet
		seen := map[string]bool{}
		walk := newCursor(r)
		for address := c.origin + "/" + string(r.Version) + r.target(); address != ""; {
			p, err := fetch[T](ctx, c, r, address)
			if err != nil {
				yield(none, err)
				return
			}
			known := len(seen)
			for _, item := range p.Value {
				if key := id(item); key != "" && seen[key] {
					continue
				} else if seen[key] = true; !yield(item, nil) {
					return
				}
			}
			if address, err = walk.next(address, p.Next, len(p.Value), len(seen) > known); err != nil {
				yield(none, err)
				return
			}
		}
	}
}

// cursor is the way of one listing from page to page.
type cursor struct {
	top     int // items asked for a page, 0 = as the service likes
	links   map[string]bool
	largest int // items of the largest page
	idle    int // pages in a row that brought nothing new
}

func newCursor(r Request) *cursor {
	top, _ := strconv.Atoi(r.Query.Get("$top"))
	return &cursor{top: top, links: map[string]bool{}}
}

// next returns where to go on after a page of n items, or "" at the end.
func (c *cursor) next(address, link string, n int, fresh bool) (string, error) {
	c.links[address] = true
	c.idle++
	if fresh {
		c.idle = 0
	}
	full := c.full(n)
	c.largest = max(c.largest, n)
	switch {
	case link == "" || c.links[link] && !full:
		return "", nil
	case c.links[link]:
		return "", fault.Newf(fault.GraphListStuck, "a full page of %d items links to a page that was read before", n)
	case c.idle >= maxIdle || len(c.links) >= maxPages:
		return "", fault.Newf(fault.GraphListStuck, "the list links on after %d pages, the last %d without anything new",
			len(c.links), c.idle)
	}
	return link, nil
}

// full reports whether a page may have been cut at its size. A service may give smaller pages than it was asked for, so
// a page counts as full that is no smaller than those before it; but no service gives pages of one.
func (c *cursor) full(n int) bool {
	return c.top == 0 || n >= c.top || n > 1 && n >= c.largest
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
