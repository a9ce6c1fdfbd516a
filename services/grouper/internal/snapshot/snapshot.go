// Package snapshot answers what is asked about devices one by one, out of lists of all of a tenant's devices where
// those are cheaper: a page of a list costs the tenant's budget as much as one device.
//
// What a list shows was so a moment ago. What it does not show means nothing: the device may be newer than the list.
// Those devices are asked for one by one. A part of a list is therefore as good as a whole one, as far as it goes.
package snapshot

import (
	"context"
	"iter"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/telemetry"
)

// Config is how lists are kept.
type Config struct {
	Keep  time.Duration    // how long a list is trusted, or for as long as it took to read when that was longer
	Rows  int              // devices kept at most, those of all tenants together; 0 = never read a list
	Again time.Duration    // until a list that was refused is tried again
	Now   func() time.Time // required
}

// Source is where the things of one tenant are read.
type Source[T any] struct {
	Some func(ctx context.Context, ids []string) map[string]autopilot.Lookup[T]
	All  func(ctx context.Context) iter.Seq2[T, error]
}

// Lists are the lists of one kind of things, one for each tenant. They are safe for concurrent use.
type Lists[T any] struct {
	config Config
	id     func(T) string
	slim   func(T) T
	held   atomic.Int64 // rows of all lists

	mu      sync.Mutex
	tenants map[device.TenantID]*list[T]
}

// New returns Lists without content of things that have an id; slim takes from a thing what nobody will ask for.
func New[T any](c Config, id func(T) string, slim func(T) T) *Lists[T] {
	return &Lists[T]{config: c, id: id, slim: slim, tenants: map[device.TenantID]*list[T]{}}
}

// Asked is a thing that is asked for.
type Asked struct {
	ID string
	// how long it has been there for certain: a list that is younger and does not show it will not soon either
	Since time.Time
}

// Find returns a Lookup for everything asked for, and which of them come from a list and so may be a little old. While
// a list is being read everybody else who asks for the tenant waits for it. Many things that are newer than a list
// still trusted are Throttled until it is time for the next one.
func (l *Lists[T]) Find(
	ctx context.Context,
	id device.TenantID,
	asked []Asked,
	from Source[T],
) (found map[string]autopilot.Lookup[T], listed map[string]bool) {
	found = make(map[string]autopilot.Lookup[T], len(asked))
	listed = make(map[string]bool, len(asked))
	missing := l.lookUp(ctx, id, asked, from, func(id string, lookup autopilot.Lookup[T]) {
		found[id] = lookup
		listed[id] = lookup.Err == nil
	})
	if len(missing) > 0 {
		maps.Copy(found, from.Some(ctx, missing))
	}
	return found, listed
}

// lookUp answers what can be answered by the tenant's list, which is read anew when it is too old and that is worth it,
// and returns the ids to ask for one by one.
func (l *Lists[T]) lookUp(
	ctx context.Context,
	id device.TenantID,
	asked []Asked,
	from Source[T],
	answer func(string, autopilot.Lookup[T]),
) []string {
	t := l.of(id)
	if err := t.lock(ctx); err != nil {
		refuse(asked, err, answer)
		return nil
	}
	defer t.unlock()
	now := l.config.Now()
	limit := t.worth(len(asked), now)
	if now.Before(t.until) {
		return ids(t.postpone(t.take(asked, answer), now, answer))
	}
	l.clear(t)
	if limit == 0 || l.config.Rows <= 0 {
		return ids(asked)
	}
	err := l.read(ctx, t, from, limit)
	missing := t.take(asked, answer)
	switch {
	case err == nil:
	case fault.KindOf(err) == fault.Throttled || ctx.Err() != nil:
		refuse(missing, err, answer)
		return nil
	default:
		t.blocked = l.config.Now().Add(l.config.Again)
		pipeline.Logger(ctx).InfoContext(ctx, "a list cannot be read, devices are read one by one",
			slog.String(telemetry.KeyCode, string(fault.CodeOf(err))), slog.Any(telemetry.KeyError, err))
	}
	return ids(missing)
}

func refuse[T any](asked []Asked, err error, answer func(string, autopilot.Lookup[T])) {
	for _, a := range asked {
		answer(a.ID, autopilot.Lookup[T]{Err: err})
	}
}

func ids(asked []Asked) []string {
	all := make([]string, len(asked))
	for i, a := range asked {
		all[i] = a.ID
	}
	return all
}

// longest is how long a list is read before the rest of it is left alone, so that those who wait for it can go on.
const longest = time.Minute

// read reads at most limit rows and keeps what it got, whatever happened.
func (l *Lists[T]) read(ctx context.Context, t *list[T], from Source[T], limit int) error {
	l.clear(t)
	l.makeRoom()
	t.began = l.config.Now()
	t.rows = map[string]T{}
	t.demand = 0
	whole, err := l.fill(t, from.All(ctx), limit, t.began.Add(longest))
	if end := l.config.Now(); whole || len(t.rows) > 0 {
		t.until = end.Add(max(l.config.Keep, end.Sub(t.began)))
	}
	if t.size = max(t.size, 2*len(t.rows)); whole { // otherwise the next attempt must promise to get further
		t.size = len(t.rows)
	}
	return err
}

func (l *Lists[T]) fill(t *list[T], items iter.Seq2[T, error], limit int, end time.Time) (whole bool, err error) {
	for item, err := range items {
		if err != nil {
			return false, err
		}
		key := strings.ToLower(l.id(item))
		if _, again := t.rows[key]; again || key == "" {
			continue
		}
		if l.held.Add(1) > int64(l.config.Rows) {
			l.held.Add(-1)
			return false, nil
		}
		if t.rows[key] = l.slim(item); len(t.rows) >= limit || !l.config.Now().Before(end) {
			return false, nil
		}
	}
	return true, nil
}
