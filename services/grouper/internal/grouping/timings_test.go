package grouping

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// TestPauseLaws: a pause is never shorter than the first nor longer than the longest, grows with the age of the wait,
// and is again the first when the reason has changed.
func TestPauseLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timings := Timings{
			First: rapid.Custom(pauses).Draw(t, "first"),
			Max:   rapid.Custom(pauses).Draw(t, "max"),
		}.withDefaults()
		now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
		younger := rapid.Custom(pauses).Draw(t, "younger")
		older := rapid.Custom(pauses).Draw(t, "older")
		if younger > older {
			younger, older = older, younger
		}
		next := func(age time.Duration, code fault.Code) time.Duration {
			return timings.next(
				device.Device{Known: device.Known{Code: fault.GroupProfilePending}, Updated: now.Add(-age)},
				code,
				now,
			)
		}
		a := next(younger, fault.GroupProfilePending)
		b := next(older, fault.GroupProfilePending)
		if a < timings.First || b > timings.Max || a > b {
			t.Errorf(
				"pauses %s after %s and %s after %s, want them within %s and %s",
				a,
				younger,
				b,
				older,
				timings.First,
				timings.Max,
			)
		}
		if c := next(older, fault.GroupMembershipPending); c != timings.First {
			t.Errorf("pause %s after a change, want %s", c, timings.First)
		}
	})
}

func pauses(t *rapid.T) time.Duration {
	return time.Duration(rapid.Int64Range(1, int64(48*time.Hour)).Draw(t, "ns"))
}

// TestEveryCodeHasAConsequence: a device dies only of what neither time nor an administrator can heal.
func TestEveryCodeHasAConsequence(t *testing.T) {
	for _, e := range fault.Catalogue() {
		got := consequenceOf(fault.New(e.Code, ""))
		if e.Kind == fault.Notice {
			continue // goes with a row that is accepted
		}
		mortal := slices.Contains([]fault.Kind{fault.Permanent, fault.Invalid, fault.Conflict, fault.NotFound}, e.Kind) &&
			e.Code != fault.TenantUnknown &&
			e.Code != fault.GraphNotFound
		if (got == dead) != mortal {
			t.Errorf("%s (%s): consequence %d", e.Code, e.Kind, got)
		}
	}
	for _, code := range []fault.Code{
		fault.GraphThrottled, fault.GraphUnavailable, fault.GraphUnknownOutcome, fault.TenantCredentialsRefused,
		fault.TenantPermissionMissing,
		fault.GraphApprovalRequired, fault.GroupNone, fault.GroupMembershipPending, fault.GroupProfileFailed,
		fault.LedgerUnavailable,
	} {
		if consequenceOf(fault.New(code, "")) != wait {
			t.Errorf("%s costs an attempt", code)
		}
	}
}
