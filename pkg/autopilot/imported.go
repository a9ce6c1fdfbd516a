package autopilot

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

// Wanted names the records of one import call. No Microsoft page says that an import id is kept, or that it can be
// filtered by; the proven way is to list all records and compare.
type Wanted struct {
	ImportID string
	IDs      []string        // of the records in the answer to the POST
	Serials  []device.Serial // of devices no record of which is known; any record with one of them is returned
	Since    time.Time       // a list of all records that began earlier is not good enough
}

// Imported returns the records that carry the import id, are one of the ids, or have one of the serial numbers
// (Microsoft page "List importedWindowsAutopilotDeviceIdentities"). It asks with a $filter for the import id. Where the
// service refuses the filter, does not honour it, or the answer lacks something that is wanted, all records of the
// tenant are read and compared here; that list is shared by all who ask at the same time.
func (c *Client) Imported(ctx context.Context, w Wanted) ([]Imported, error) {
	if c.scan.Load() {
		return c.scanned(ctx, w)
	}
	found, err := c.filtered(ctx, w)
	if fault.Is(err, fault.GraphBadRequest) {
		c.scan.Store(true)
		return c.scanned(ctx, w)
	}
	if err != nil || c.scan.Load() || !w.lacks(found) {
		return found, err
	}
	found, err = c.scanned(ctx, w)
	if slices.ContainsFunc(found, func(r Imported) bool { return slices.Contains(w.IDs, r.ID) && !w.carries(r) }) {
		c.scan.Store(true) // ours, under another import id: a filter will never find it
	}
	return found, err
}

// filtered asks for the import id. An answer with other import ids shows that the filter is ignored; then it is a list
// of all records.
func (c *Client) filtered(ctx context.Context, w Wanted) ([]Imported, error) {
	all, err := c.list(ctx, filter(eq("importId", w.ImportID)))
	if slices.ContainsFunc(all, func(r Imported) bool { return !w.carries(r) }) {
		c.scan.Store(true)
	}
	return w.pick(all), err
}

func (c *Client) scanned(ctx context.Context, w Wanted) ([]Imported, error) {
	all, err := c.listing.read(ctx, w.Since, c.listAll)
	return w.pick(all), err
}

// listAll reads all records of the tenant in large pages, where the service takes $top.
func (c *Client) listAll(ctx context.Context) ([]Imported, error) {
	all, err := c.list(ctx, url.Values{"$top": {pageSize}})
	if fault.Is(err, fault.GraphBadRequest) {
		return c.list(ctx, nil)
	}
	return all, err
}

func (c *Client) list(ctx context.Context, query url.Values) ([]Imported, error) {
	var records []Imported
	r := graph.Request{Version: graph.V1, Path: importedPath, Query: query}
	for w, err := range graph.List(ctx, c.graph, r, func(w importedWire) string { return w.ID }) {
		if err != nil {
			return nil, err
		}
		records = append(records, w.imported())
	}
	return records, nil
}

// carries reports whether the record has the import id.
func (w Wanted) carries(r Imported) bool { return strings.EqualFold(r.ImportID, w.ImportID) }

// pick compares in any case: a service that ignores the filter must not mix up imports.
func (w Wanted) pick(all []Imported) []Imported {
	ids := map[string]bool{}
	for _, id := range w.IDs {
		ids[id] = true
	}
	serials := map[string]bool{}
	for _, s := range w.Serials {
		serials[s.Fold()] = true
	}
	var found []Imported
	for _, r := range all {
		if w.carries(r) || ids[r.ID] || serials[r.Serial.Fold()] {
			found = append(found, r)
		}
	}
	return found
}

// lacks reports whether an id or a serial number is not among the records.
func (w Wanted) lacks(found []Imported) bool {
	ids := map[string]bool{}
	serials := map[string]bool{}
	for _, r := range found {
		ids[r.ID] = true
		serials[r.Serial.Fold()] = true
	}
	return slices.ContainsFunc(w.IDs, func(id string) bool { return !ids[id] }) ||
		slices.ContainsFunc(w.Serials, func(s device.Serial) bool { return !serials[s.Fold()] })
}

// listing is the last list of all records. One is made at a time, and whoever waits for it shares it.
type listing struct {
	now   func() time.Time
	turn  chan struct{}
	began time.Time
	all   []Imported
	drop  *time.Timer
}

// keepListing is how long a list stays in memory.
const keepListing = time.Minute

func newListing(now func() time.Time) *listing {
	return &listing{now: now, turn: make(chan struct{}, 1)}
}

// read returns the last list if it began at the given time or later, or a new one. The zero time asks for a new one.
func (l *listing) read(
	ctx context.Context,
	since time.Time,
	list func(context.Context) ([]Imported, error),
) ([]Imported, error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-l.turn }()
	if !since.IsZero() && !l.began.Before(since) {
		return l.all, nil
	}
	began := l.now()
	all, err := list(ctx)
	if err != nil {
		return nil, err
	}
	l.began = began
	l.all = all
	if l.drop != nil {
		l.drop.Stop()
	}
	l.drop = time.AfterFunc(keepListing, func() { l.forget(began) })
	return all, nil
}

// forget drops a list, unless there is a newer one.
func (l *listing) forget(began time.Time) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if l.began.Equal(began) {
		l.began = time.Time{}
		l.all = nil
	}
}
