package submission

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/backoff"
)

// Timings are all the waits and limits of a submission's life. The zero value of a field is its default.
type Timings struct {
	Claim time.Duration // how long a worker that sends is waited for after its last sign of life, default 1 min
	// how long an import may stay invisible before it counts as lost, default 5 min; more than Claim
	Lost      time.Duration
	PollFirst time.Duration // before an import is polled again, then doubling, default 15 s
	PollMax   time.Duration // the longest pause between two polls, default 5 min
	Stuck     time.Duration // an import that takes longer raises the alarm, default 60 min; it is never given up
	// how long a device "already registered here" may stay invisible, default 2 h; then it is imported once more
	Invisible time.Duration
	// least time between two synchronisations of a tenant, default autopilot.SyncPause; < 0 = never
	Sync        time.Duration
	RetryFirst  time.Duration // before a device is sent again after a failure that may pass, then doubling, default 2 min
	RetryMax    time.Duration // the longest such pause, default 1 h
	Denied      time.Duration // pause of a tenant that refuses us, default 5 min
	Unavailable time.Duration // pause when Graph cannot be reached, and when a 429 names no time, default 1 min
	Grace       time.Duration // until registered devices are announced again if their event was lost, default 30 s
	Cleanup     time.Duration // between two rounds of deleting import records, default 30 s
	CleanupEnd  time.Duration // records that cannot be deleted for this long are left alone, default 24 h
	MaxAttempts int           // failed attempts of a device before it is dead, default 6
	MaxLookups  int           // searches by serial in one poll, default 20
	MaxDeletes  int           // import records deleted in one round, default 20
}

// withDefaults returns t with its zero fields filled in.
func (t Timings) withDefaults() Timings {
	t.Claim = cmp.Or(t.Claim, time.Minute)
	t.Lost = cmp.Or(t.Lost, max(5*time.Minute, 2*t.Claim))
	t.PollFirst = cmp.Or(t.PollFirst, 15*time.Second)
	t.PollMax = cmp.Or(t.PollMax, max(5*time.Minute, t.PollFirst))
	t.Stuck = cmp.Or(t.Stuck, time.Hour)
	t.Invisible = cmp.Or(t.Invisible, 2*time.Hour)
	t.Sync = cmp.Or(t.Sync, autopilot.SyncPause)
	t.RetryFirst = cmp.Or(t.RetryFirst, 2*time.Minute)
	t.RetryMax = cmp.Or(t.RetryMax, max(time.Hour, t.RetryFirst))
	t.Denied = cmp.Or(t.Denied, 5*time.Minute)
	t.Unavailable = cmp.Or(t.Unavailable, time.Minute)
	t.Grace = cmp.Or(t.Grace, 30*time.Second)
	t.Cleanup = cmp.Or(t.Cleanup, 30*time.Second)
	t.CleanupEnd = cmp.Or(t.CleanupEnd, 24*time.Hour)
	t.MaxAttempts = cmp.Or(t.MaxAttempts, 6)
	t.MaxLookups = cmp.Or(t.MaxLookups, 20)
	t.MaxDeletes = cmp.Or(t.MaxDeletes, 20)
	return t
}

// validate says what is wrong with the timings, all of it at once.
func (t Timings) validate() error {
	var errs []error
	for _, f := range []struct {
		name string
		d    time.Duration
	}{
		{"claim", t.Claim},
		{"lost", t.Lost},
		{"pollFirst", t.PollFirst},
		{"pollMax", t.PollMax},
		{"stuck", t.Stuck},
		{"invisible", t.Invisible},
		{"retryFirst", t.RetryFirst},
		{"retryMax", t.RetryMax},
		{"denied", t.Denied},
		{"unavailable", t.Unavailable},
		{"grace", t.Grace},
		{"cleanup", t.Cleanup},
		{"cleanupEnd", t.CleanupEnd},
	} {
		if f.d <= 0 {
			errs = append(errs, fmt.Errorf("%s is %s, must be positive", f.name, f.d))
		}
	}
	ordered := func(ok bool, rule string) {
		if !ok {
			errs = append(errs, errors.New(rule))
		}
	}
	ordered(t.Lost > t.Claim, "lost must be longer than claim: an import may be sent as long as its claim lasts")
	ordered(t.PollMax >= t.PollFirst, "pollMax must not be shorter than pollFirst")
	ordered(t.RetryMax >= t.RetryFirst, "retryMax must not be shorter than retryFirst")
	ordered(
		t.MaxAttempts > 0 && t.MaxLookups > 0 && t.MaxDeletes > 0,
		"maxAttempts, maxLookups and maxDeletes must be positive",
	)
	return errors.Join(errs...)
}

// poll returns the pause after the given number of polls.
func (t Timings) poll(polls int) time.Duration { return backoff.Doubled(t.PollFirst, polls, t.PollMax) }

// retry returns the pause after the given number of failed attempts, 1 or more.
func (t Timings) retry(attempts int) time.Duration {
	return backoff.Doubled(t.RetryFirst, attempts-1, t.RetryMax)
}

// spread lengthens a pause by up to a fifth, so that what failed together does not come back together. The seed decides
// how much: what shall stay together, such as the devices of an import, has the same.
func spread(d time.Duration, seed string) time.Duration {
	return backoff.JitterOf(seed, d, d+d/5)
}
