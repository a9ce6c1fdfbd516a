package graph

import (
	"context"
	"net/http"
)

// ReadPage reads one page of a collection as the service gives it: the first page of r when link is "", else the page
// that a link of the page before leads to. It is for who wants to see how a list ends; List is for everybody else.
func ReadPage[T any](ctx context.Context, c *Client, r Request, link string) (items []T, next string, err error) {
	r.Method = http.MethodGet
	if link == "" {
		link = c.origin + "/" + string(r.Version) + r.target()
	}
	p, err := fetch[T](ctx, c, r, link)
	return p.Value, p.Next, err
}
