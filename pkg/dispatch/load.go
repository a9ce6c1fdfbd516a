package dispatch

import (
	"context"
	"sync"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/pipeline"
)

// Load is what the handlers of a process do. The dispatchers of the same process do not issue again what one of them
// works on, however long that takes; and they issue nothing into a lane while all its handlers are busy: what was
// issued before waits in the broker then, and is not lost. A nil Load is none.
type Load struct {
	handlers int
	interval time.Duration

	mu    sync.Mutex
	items map[string]int // devices and submissions that are worked on, and by how many handlers
	lanes map[laneOf]*occupancy
}

// laneOf is a lane of a type.
type laneOf struct {
	event.Type
	broker.Lane
}

// occupancy is how busy the handlers of a lane are.
type occupancy struct {
	held  int
	since time.Time // since when a handler is free; zero = none is
	calm  time.Time // when a handler was last free for so long that no message can have waited for it
}

// NewLoad returns the load of so many handlers in each lane of each type, for dispatchers with these timings.
func (t Timings) NewLoad(handlers int) *Load {
	return &Load{
		handlers: handlers,
		interval: t.withDefaults().Interval,
		items:    map[string]int{},
		lanes:    map[laneOf]*occupancy{},
	}
}

// Around returns the use case as one whose work is known; it is for pipeline.Config.
func (l *Load) Around(t event.Type, lane broker.Lane, use pipeline.UseCase) pipeline.UseCase {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	o := &occupancy{since: now, calm: now}
	l.lanes[laneOf{t, lane}] = o
	return func(ctx context.Context, e event.Event) error {
		l.change(o, e, 1)
		defer l.change(o, e, -1)
		return use(ctx, e)
	}
}

func (l *Load) change(o *occupancy, e event.Event, by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range append(e.Devices[:len(e.Devices):len(e.Devices)], e.Submission) {
		if l.items[id] += by; l.items[id] == 0 {
			delete(l.items, id)
		}
	}
	o.held += by
	switch free := o.held < l.handlers; {
	case free && o.since.IsZero():
		o.since = time.Now()
	case !free && !o.since.IsZero():
		l.rest(o)
		o.since = time.Time{}
	}
}

// rest takes note of a handler that is free. A broker needs a moment to bring the next message.
func (l *Load) rest(o *occupancy) {
	if now := time.Now(); now.Sub(o.since) >= l.interval/4 {
		o.calm = now
	}
}

// full reports whether every handler of the lane has been busy for an interval.
func (l *Load) full(t event.Type, lane broker.Lane) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.lanes[laneOf{t, lane}]
	if o == nil {
		return false
	}
	if !o.since.IsZero() {
		l.rest(o)
	}
	return time.Since(o.calm) >= l.interval
}

// has reports whether a handler works on the device or submission.
func (l *Load) has(id string) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.items[id] > 0
}
