// Package slowness measures how much longer work takes now than on an idle machine, because others use the machine too.
// Timings that are short for the sake of a demonstration or a test are stretched by it: else the work they belong to
// would run into them.
package slowness

import (
	"slices"
	"sync"
	"time"
)

const (
	most = 20 // a factor beyond it says no more
	// of work at a measurement: longer than a turn that the scheduler gives to who has rested
	piece  = 2 * time.Millisecond
	fresh  = 200 * time.Millisecond // how long a measurement is repeated instead of made
	recent = 8                      // measurements that count: one is chance
)

// Factor returns how many times longer work takes now than on the idle machine: 1 to 20, the mean of the last
// measurements. A call that measures takes some milliseconds, and as much longer as the machine is slow.
func Factor() float64 { return machine.factor() }

// Stretch returns d times Factor.
func Stretch(d time.Duration) time.Duration { return Stretcher()(d) }

// Stretcher returns Stretch with the factor of now, for durations that belong together.
func Stretcher() func(time.Duration) time.Duration {
	f := Factor()
	return func(d time.Duration) time.Duration { return time.Duration(float64(d) * f) }
}

// machine is the one this process runs on.
var machine meter

type meter struct {
	mu      sync.Mutex
	turns   int // of spin in an undisturbed piece; 0 = not known
	samples []float64
	last    time.Time
}

func (m *meter) factor() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.turns == 0 {
		m.turns = undisturbed()
	}
	if m.turns == 0 {
		return 1
	}
	if len(m.samples) == 0 || time.Since(m.last) > recent*fresh {
		m.samples = m.samples[:0] // what was is no news
		for range recent / 2 {
			m.measure()
		}
	} else if time.Since(m.last) > fresh {
		m.measure()
	}
	sum := 0.0
	for _, s := range m.samples {
		sum += s
	}
	return sum / float64(len(m.samples))
}

func (m *meter) measure() {
	took := spin(m.turns)
	m.last = time.Now()
	m.samples = append(m.samples, min(max(1, float64(took)/float64(piece)), most))
	m.samples = m.samples[max(0, len(m.samples)-recent):]
}

// undisturbed finds out how many turns an idle machine does in a piece: the best of many tries so short that some of
// them are not disturbed on any machine. Where time stands still (testing/synctest) it returns 0.
func undisturbed() int {
	const turns, tries = 20_000, 50
	took := make([]time.Duration, tries)
	for i := range took {
		took[i] = spin(turns)
	}
	best := slices.Min(took)
	if best == 0 {
		return 0
	}
	return int(turns * piece / best)
}

// spin works and returns how long that took.
func spin(turns int) time.Duration {
	began := time.Now()
	x := uint64(1)
	for range turns {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	if x == 0 { // never; the compiler does not know
		return 0
	}
	return time.Since(began)
}
