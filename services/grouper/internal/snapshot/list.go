package snapshot

import (
	"context"
	"strings"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// page is how many single reads a page of a list must save. More than one, because a page is a thousand times larger
// than a single answer, shows things as they were, and may turn out to hold fewer things than it was asked for.
const page = 10

// window is how long reads are added up, the usual window of the budgets that they count against.
const window = 20 * time.Second

// list is what is known of one tenant's things. Everything is guarded by turn.
type list[T any] struct {
	turn    chan struct{}
	rows    map[string]T // by id in lower case
	began   time.Time    // when rows began to be read
	until   time.Time    // when rows are too old
	blocked time.Time    // no list is read before
	size    int          // rows of the whole list, as far as known; at least, when it was not read to its end
	demand  int          // things asked for since the window or the list began
	since   time.Time    // when the window began
}

func (t *list[T]) lock(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *list[T]) unlock() { <-t.turn }

// take answers what is in the list and returns the rest.
func (t *list[T]) take(asked []Asked, answer func(string, autopilot.Lookup[T])) (missing []Asked) {
	for _, a := range asked {
		if value, ok := t.rows[strings.ToLower(a.ID)]; ok {
			answer(a.ID, autopilot.Lookup[T]{Value: value})
		} else {
			missing = append(missing, a)
		}
	}
	return missing
}

// postpone answers for things that are newer than the list, unless they are few: the next list will show them. It
// returns the rest.
func (t *list[T]) postpone(missing []Asked, now time.Time, answer func(string, autopilot.Lookup[T])) (rest []Asked) {
	var newer []Asked
	for _, a := range missing {
		if a.Since.Before(t.began) {
			rest = append(rest, a)
		} else {
			newer = append(newer, a)
		}
	}
	if len(newer) <= page {
		return missing
	}
	left := t.until.Sub(now)
	refuse(
		newer,
		fault.New(fault.GraphThrottled, "too new for the last list of all devices, the next one will show it").
			After(left),
		answer,
	)
	return rest
}

// worth counts n things as asked for and returns how many rows of a list are worth reading instead of asking for them
// one by one, or zero when the list is longer than that.
func (t *list[T]) worth(n int, now time.Time) (rows int) {
	if now.Sub(t.since) >= window {
		t.demand = 0
		t.since = now
	}
	t.demand += n
	pages := 1 + t.size/autopilot.PageSize
	if t.demand <= pages*page || now.Before(t.blocked) {
		return 0
	}
	return t.demand / page * autopilot.PageSize
}

func (l *Lists[T]) clear(t *list[T]) {
	l.held.Add(-int64(len(t.rows)))
	t.rows = nil
}

// of returns the tenant's list, new if there is none.
func (l *Lists[T]) of(id device.TenantID) *list[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.tenants[id]
	if !ok {
		t = &list[T]{turn: make(chan struct{}, 1)}
		l.tenants[id] = t
	}
	return t
}

// makeRoom empties the lists that are out of date.
func (l *Lists[T]) makeRoom() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.config.Now()
	for _, t := range l.tenants {
		select {
		case t.turn <- struct{}{}:
			if !now.Before(t.until) {
				l.clear(t)
			}
			t.unlock()
		default: // somebody is at it
		}
	}
}
