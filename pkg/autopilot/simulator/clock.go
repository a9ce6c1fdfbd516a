package simulator

import (
	"container/heap"
	"encoding/binary"
	"hash/fnv"
	"time"
)

// event is a change that becomes true at a moment. Events run in order of
// their moment, then in the order in which they were planned.
type event struct {
	at  time.Time
	seq int
	run func(at time.Time)
}

type agenda []event

// Len is of heap.Interface, like the methods below.
func (a agenda) Len() int { return len(a) }

// Swap exchanges two events.
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push appends an event.
func (a *agenda) Push(x any) { *a = append(*a, x.(event)) }

// Less puts the earlier event first.
func (a agenda) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].seq < a[j].seq
	}
	return a[i].at.Before(a[j].at)
}

// Pop takes the last event off.
func (a *agenda) Pop() any {
	last := len(*a) - 1
	e := (*a)[last]
	(*a)[last] = event{}
	*a = (*a)[:last]
	return e
}

// plan makes run happen d after at.
func (s *Server) plan(at time.Time, d time.Duration, run func(at time.Time)) {
	s.seq++
	heap.Push(&s.agenda, event{at.Add(d), s.seq, run})
}

// settle does everything that is due and returns the present.
func (s *Server) progress() time.Time {
	now := s.opt.Now().Add(s.offset)
	for len(s.agenda) > 0 && !s.agenda[0].at.After(now) {
		e := heap.Pop(&s.agenda).(event)
		e.run(e.at)
	}
	return now
}

// Advance moves the simulator's clock forward and lets everything that falls
// due happen.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += max(d, 0)
	s.progress()
}

// Pending returns how many changes are still to come and how long the next one
// takes; a test can Advance exactly so far.
func (s *Server) Pending() (changes int, next time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.progress()
	if len(s.agenda) == 0 {
		return 0, 0
	}
	return len(s.agenda), s.agenda[0].at.Sub(now)
}

// draw picks a duration for a named thing: the same seed and name give the
// same duration, whatever happened before.
func (s *Server) draw(d Delay, names ...string) time.Duration {
	if d.Max <= d.Min {
		return d.Min
	}
	return d.Min + time.Duration(s.chance(names...)*float64(d.Max-d.Min))
}

// chance returns a number in [0,1) that depends on the seed and the names only.
func (s *Server) chance(names ...string) float64 {
	h := fnv.New64a()
	_ = binary.Write(h, binary.LittleEndian, s.opt.Seed)
	for _, n := range names {
		h.Write([]byte(n))
		h.Write([]byte{0})
	}
	x := h.Sum64()
	// FNV leaves the high bits of similar short names alike; one round of
	// mixing spreads them.
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}
