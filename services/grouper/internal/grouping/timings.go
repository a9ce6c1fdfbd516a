package grouping

import (
	"cmp"
	"fmt"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/backoff"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// Timings are all the waits and limits of the group stage. The zero value of a field is its default.
type Timings struct {
	First  time.Duration // before the second check of a device that waits, then doubling, default 15 s
	Max    time.Duration // the longest pause between two checks, default 10 min
	Denied time.Duration // pause of a tenant that refuses us, default 5 min
	Grace  time.Duration // until a device that moved on is checked again if this process dies, default 1 min
	Vanish time.Duration // how long a device may be invisible in Autopilot before it is dead, default 1 h
	// in one state, before it is logged and counted as overdue, default 4 h; it is never given up
	Alarm   time.Duration
	Groups  time.Duration // how long a tenant's list of dynamic groups is trusted, default 1 min
	Members time.Duration // how long a list of members or devices is trusted, default 10 s; less than First
	// least time between two synchronisations of a tenant, default autopilot.SyncPause; < 0 = never
	Sync        time.Duration
	MaxAttempts int // failed attempts of a device before it is dead, default 10
	// devices kept of lists in memory, 350 bytes each, of either kind; default 100,000; < 0 = no lists
	MaxListed int
}

func (t Timings) withDefaults() Timings {
	t.First = cmp.Or(t.First, 15*time.Second)
	t.Max = cmp.Or(t.Max, 10*time.Minute)
	t.Denied = cmp.Or(t.Denied, 5*time.Minute)
	t.Grace = cmp.Or(t.Grace, time.Minute)
	t.Vanish = cmp.Or(t.Vanish, time.Hour)
	t.Alarm = cmp.Or(t.Alarm, 4*time.Hour)
	t.Groups = cmp.Or(t.Groups, time.Minute)
	t.Members = cmp.Or(t.Members, min(10*time.Second, t.First/2))
	t.Sync = cmp.Or(t.Sync, autopilot.SyncPause)
	t.MaxAttempts = cmp.Or(t.MaxAttempts, 10)
	t.MaxListed = cmp.Or(t.MaxListed, 100_000)
	t.Max = max(t.Max, t.First)
	return t
}

// validate says what cannot be; t has its defaults.
func (t Timings) validate() error {
	for name, d := range map[string]time.Duration{
		"First": t.First, "Denied": t.Denied, "Grace": t.Grace, "Vanish": t.Vanish, "Alarm": t.Alarm, "Groups": t.Groups,
	} {
		if d <= 0 {
			return fmt.Errorf("%s %s: want more than zero", name, d)
		}
	}
	switch {
	case t.Members < 0 || t.Members >= t.First:
		return fmt.Errorf(
			"members %s: want less than First, %s, or a second check sees what the first one saw",
			t.Members,
			t.First,
		)
	case t.MaxAttempts < 1:
		return fmt.Errorf("%d attempts: want at least one", t.MaxAttempts)
	}
	return nil
}

// next is the pause before the next check of a device that waits: it doubles from check to check as long as the reason
// stays the same. It is computed from the time of the last check, in steps, so that devices of one chunk stay together.
func (t Timings) next(d device.Device, code fault.Code, now time.Time) time.Duration {
	pause := t.First
	if d.Code != code {
		return pause
	}
	for last := now.Sub(d.Updated); pause < t.Max && pause <= last+last/5; pause *= 2 {
		continue
	}
	return min(pause, t.Max)
}

// spread lengthens a pause by up to a tenth. The seed is the first device of the chunk, so that chunks put off together
// do not come back all at once while the devices of each stay together.
func spread(d time.Duration, seed string) time.Duration { return backoff.JitterOf(seed, d, d+d/10) }
