package slowness

import (
	"testing"
	"time"
)

func TestFactor(t *testing.T) {
	t.Parallel()
	for range 3 {
		if f := Factor(); f < 1 || f > most {
			t.Errorf("factor %g", f)
		}
	}
	if d := Stretch(time.Second); d < time.Second || d > most*time.Second {
		t.Errorf("a second becomes %s", d)
	}
}

// Only what was measured counts, and only the last of it.
func TestMeasurements(t *testing.T) {
	t.Parallel()
	m := meter{turns: 1, last: time.Now().Add(time.Hour), samples: []float64{1, 3}} // fresh for long
	if f := m.factor(); f != 2 {
		t.Errorf("the mean of 1 and 3 is %g", f)
	}
	for range 2 * recent {
		m.measure()
	}
	if len(m.samples) != recent {
		t.Errorf("%d measurements count", len(m.samples))
	}
	m.samples = []float64{most}
	m.last = time.Now().Add(-time.Hour)
	if f := m.factor(); f == most {
		t.Error("what was an hour ago counts")
	}
}
