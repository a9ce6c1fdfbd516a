package simulator

import (
	"container/heap"
	"time"
)

// clock is the only source of time for what the broker promises: locks, TTL,
// schedules, windows, idleness. It is guarded by the server's mutex.
type clock struct {
	now    func() time.Time
	offset time.Duration
	timers timers
	wake   *time.Timer // real timer that fires when the head of timers is due
}

// timer is a call in the future; index is its place in the heap, -1 when it is
// not (or no longer) there.
type timer struct {
	at    time.Time
	fn    func()
	index int
}

// Now is the simulated time, cut to what AMQP timestamps can carry.
func (c *clock) Now() time.Time { return c.now().Add(c.offset).Truncate(time.Millisecond) }

// at arranges for fn to run, under the server's mutex, once it is t or later.
func (c *clock) at(t time.Time, fn func()) *timer {
	tm := &timer{at: t, fn: fn}
	heap.Push(&c.timers, tm)
	if tm.index == 0 {
		c.arm()
	}
	return tm
}

// stop takes a timer out; a nil timer or one that fired is fine.
func (c *clock) stop(tm *timer) {
	if tm != nil && tm.index >= 0 {
		heap.Remove(&c.timers, tm.index)
	}
}

// run calls everything that is due, earliest first, and arms the next wake-up.
func (c *clock) run() {
	for now := c.Now(); len(c.timers) > 0 && !c.timers[0].at.After(now); {
		heap.Pop(&c.timers).(*timer).fn()
	}
	c.arm()
}

func (c *clock) arm() {
	if len(c.timers) > 0 {
		c.wake.Reset(max(c.timers[0].at.Sub(c.Now()), time.Millisecond))
	}
}

type timers []*timer

// Len implements heap.Interface.
func (t timers) Len() int { return len(t) }

// Less implements heap.Interface: the earlier goes first.
func (t timers) Less(i, j int) bool { return t[i].at.Before(t[j].at) }

// Swap implements heap.Interface.
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index = i
	t[j].index = j
}

// Push implements heap.Interface.
func (t *timers) Push(x any) {
	tm := x.(*timer)
	tm.index = len(*t)
	*t = append(*t, tm)
}

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	last := len(*t) - 1
	tm := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	tm.index = -1
	return tm
}
