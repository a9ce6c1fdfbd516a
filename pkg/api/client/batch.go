package client

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"

	"taxiway.example/pkg/api"
)

// Upload says what a device list is; all of it is optional.
type Upload struct {
	Name           string // the sender's name for it, at most 255 bytes
	GroupTag       string // for rows without one
	IdempotencyKey string // printable ASCII, at most 255 bytes; the same key goes on with the same batch
}

// Submit sends a device list in any shape of docs/file-shapes.md, as it is read, and returns what became of its rows.
// There is no limit in time: a file of a million rows is some gigabytes, and the server gives up on an upload that
// stands still. When the list cannot be read, the reader's error comes back as it is.
//
// An upload that broke off is sent again in full, under the same idempotency key: rows that are in the ledger are not
// taken in twice. Without a key a second upload is a second batch, whose rows are duplicates.
func (c *Client) Submit(ctx context.Context, list io.Reader, u Upload) (api.Receipt, error) {
	query := url.Values{}
	for name, value := range map[string]string{"name": u.Name, "groupTag": u.GroupTag} {
		if value != "" {
			query.Set(name, value)
		}
	}
	source := &source{r: list}
	r, err := c.request(ctx, http.MethodPost, "/v1/batches", query, source)
	if err != nil {
		return api.Receipt{}, err
	}
	r.Header.Set("Content-Type", "text/csv")
	if u.IdempotencyKey != "" {
		r.Header.Set("Idempotency-Key", strconv.Quote(u.IdempotencyKey))
	}
	var out api.Receipt
	err = c.do(r, &out)
	if cause := source.err.Load(); cause != nil {
		return out, *cause
	}
	return out, err
}

// source remembers why a list could not be read, which is not the server's fault. An answer may come while it is still
// being read.
type source struct {
	r   io.Reader
	err atomic.Pointer[error]
}

// Read reads.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err.Store(&err)
	}
	return n, err
}

// Batch returns how a batch is doing, with its counts; an unknown one is a [*Problem] with fault.RequestNotFound.
func (c *Client) Batch(ctx context.Context, id string) (api.Batch, error) {
	var out api.Batch
	err := c.get(ctx, "/v1/batches/"+url.PathEscape(id), nil, &out)
	return out, err
}

// Rows returns the rows of a batch by number, with the present state of their devices. The outcome is that of a row,
// such as "accepted"; "" means all, "failed" those rejected or in conflict. Pages are read as the caller goes on; an
// error is the last thing it yields.
func (c *Client) Rows(ctx context.Context, batch, outcome string) iter.Seq2[api.Row, error] {
	return pages(func(after string) ([]api.Row, error) {
		query := url.Values{"limit": {strconv.Itoa(rowPage)}, "after": {after}}
		if outcome != "" {
			query.Set("outcome", outcome)
		}
		var page struct {
			Rows []api.Row `json:"rows"`
		}
		err := c.get(ctx, "/v1/batches/"+url.PathEscape(batch)+"/rows", query, &page)
		return page.Rows, err
	}, rowPage, "0", func(r api.Row) string { return strconv.Itoa(r.Row) })
}

// pages goes through a listing page by page; a page that is not full is the last one.
func pages[T any](
	read func(after string) ([]T, error),
	size int,
	after string,
	mark func(T) string,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, err := read(after)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, one := range page {
				after = mark(one)
				if !yield(one, nil) {
					return
				}
			}
			if len(page) < size {
				return
			}
		}
	}
}
