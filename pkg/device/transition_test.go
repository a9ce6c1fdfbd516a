package device_test

import (
	"slices"
	"testing"

	"taxiway.example/pkg/device"
)

func TestEveryStateCanBeReachedAndLeft(t *testing.T) {
	t.Parallel()
	reached := map[device.State]bool{device.Collected: true, device.Held: true}
	for range device.States() {
		for from := range reached {
			for _, to := range device.States() {
				reached[to] = reached[to] || from.CanBecome(to)
			}
		}
	}
	for _, s := range device.States() {
		if !reached[s] {
			t.Errorf("%s is never reached", s)
		}
		if !s.CanBecome(s) {
			t.Errorf("a device cannot wait in %s", s)
		}
		others := slices.DeleteFunc(device.States(), func(to device.State) bool { return to == s || !s.CanBecome(to) })
		if len(others) == 0 {
			t.Errorf("no way leads out of %s", s)
		}
	}
}

func TestCanBecome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to device.State
		want     bool
	}{
		{"", device.Collected, true},
		{"", device.Held, true},
		{"", device.Ready, false},
		{"", "", false},
		{device.Ready, "nonsense", false},
		{"nonsense", device.Ready, false},
		{"nonsense", "nonsense", false},
		{device.Collected, device.Registered, false}, // only what was submitted is registered
		{device.Submitting, device.Retired, false},   // a POST may be under way
		{device.Submitted, device.Retired, false},
		{device.Ready, device.Dead, false},
		{device.Held, device.Ready, false},
	} {
		if got := c.from.CanBecome(c.to); got != c.want {
			t.Errorf("%q → %q is %v", c.from, c.to, got)
		}
	}
}

// Whoever works on a device finds a way on, and a person can take out of service whatever no import is under way for.
func TestWaysOutForAPerson(t *testing.T) {
	t.Parallel()
	for _, s := range device.States() {
		underWay := s == device.Submitting || s == device.Submitted
		if got := s.CanBecome(device.Retired); got == underWay {
			t.Errorf("%s can be retired: %v", s, got)
		}
		if s.InFlight() && !s.CanBecome(device.Dead) {
			t.Errorf("%s is worked on and cannot be given up", s)
		}
		if replayed := s.ReplayTo(""); s.InFlight() && !device.Dead.CanBecome(replayed) {
			t.Errorf("a device that died in %s is replayed to %s, which the table forbids", s, replayed)
		}
	}
}
