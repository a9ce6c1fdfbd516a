package grouping_test

import (
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// retag is what a person does by hand.
func (w *fixture) retag(tag string, ids ...string) {
	w.Helper()
	for _, id := range ids {
		if err := w.client.SetGroupTag(w.Context(), w.device(id).RegistrationID, tag); err != nil {
			w.Fatal(err)
		}
	}
}

func TestTagChangedWhileWaitingIsSetAgain(t *testing.T) {
	w := newFixture(t)
	id := w.registered("KIOSK", "KIOSK")
	w.check(id)
	w.want(id, device.Tagged, fault.GroupNone)
	w.retag("OTHER", id)
	w.profile(w.group("KIOSK"))
	w.untilDue(id)
	w.check(id)
	d := w.want(id, device.Registered, fault.GroupTagPending)
	if !strings.Contains(d.Detail, `set to "KIOSK", but Autopilot shows "OTHER"`) || d.Tag != "" || d.Attempts != 0 {
		t.Errorf("tag %q, %d attempts, detail %q", d.Tag, d.Attempts, d.Detail)
	}
	w.advance(time.Minute)
	w.finish(id)
	if d = w.want(id, device.Ready, ""); d.Tag != "KIOSK" || w.count(updates) != 2 {
		t.Errorf("tag %q after %d updates, one of them by hand", d.Tag, w.count(updates))
	}
}

func TestTagInAnotherCaseIsNotChanged(t *testing.T) {
	w := newFixture(t)
	id := w.registered("KIOSK", "KIOSK")
	w.check(id)
	w.retag("kiosk", id)
	w.profile(w.group("KIOSK"))
	w.advance(time.Minute)
	w.check(id)
	w.want(id, device.Ready, "")
}

// TestTagThatDoesNotStay: a fight over a tag goes on ever more slowly, and is reported.
func TestTagThatDoesNotStay(t *testing.T) {
	w := newFixture(t)
	id := w.registered("KIOSK", "KIOSK")
	const rounds = 16
	var last time.Duration
	for range rounds {
		w.check(id)
		w.want(id, device.Tagged, fault.GroupNone)
		w.retag("OTHER", id)
		w.untilDue(id)
		if err := w.piped(id); err != nil {
			t.Fatal(err)
		}
		w.want(id, device.Registered, fault.GroupTagPending)
		pause := w.untilDue(id)
		if pause < last*3/2 && pause < 24*time.Hour || pause > 27*time.Hour {
			t.Errorf("rests %s after %s", pause, last)
		}
		last = pause
	}
	if last < 24*time.Hour || w.count(updates) != 2*rounds-1 {
		t.Errorf("rests %s after %d updates", last, w.count(updates))
	}
	if n := w.counted("taxiway_grouper_overdue_total", string(device.Registered), string(fault.GroupTagPending)); n == 0 ||
		!strings.Contains(w.log.String(), "devices wait for longer than expected") {
		t.Errorf("%v overdue, log %s", n, w.log)
	}
	w.profile(w.group("KIOSK"))
	w.finish(id)
	w.want(id, device.Ready, "")
}

// TestTagShownLateIsNoFailure: a tag that Autopilot shows after many hours is written a few times only, and costs no
// attempt.
func TestTagShownLateIsNoFailure(t *testing.T) {
	w := newFixture(t, func(s *setup) {
		s.sim.Quirks.TagAfterSync = true
		s.sim.Delays.BackgroundSync = seconds(10 * 3600)
		s.timings.Sync = -1
	})
	w.profile(w.group("KIOSK"))
	id := w.registered("KIOSK", "LAB")
	for range 60 {
		w.check(id)
		d := w.device(id)
		if d.State == device.Ready {
			break
		}
		if d.Attempts != 0 {
			t.Fatalf("%d attempts", d.Attempts)
		}
		w.untilDue(id)
	}
	w.want(id, device.Ready, "")
	if n := w.count(updates); n < 2 || n > 15 {
		t.Errorf("%d updates in ten hours", n)
	}
}

// TestChangedTagInListIsConfirmed: a list that shows another tag takes no device back.
func TestChangedTagInListIsConfirmed(t *testing.T) {
	w := newFixture(t)
	ids := w.all(40, "KIOSK", "KIOSK")
	w.check(ids...)
	w.retag("OTHER", ids...)
	w.advance(15 * time.Second)
	w.check(ids[:20]...) // reads a list in which all tags are wrong, and so they are
	w.retag("KIOSK", ids[20:]...)
	reads := w.count(identityGets)
	w.check(ids[20:]...)
	if n := w.count(identityGets) - reads; n != 20 || w.count(identityLists) != 2 {
		t.Errorf("%d single reads, %d lists", n, w.count(identityLists))
	}
	for i, id := range ids {
		if i < 20 {
			w.want(id, device.Registered, fault.GroupTagPending)
		} else {
			w.want(id, device.Tagged, fault.GroupNone)
		}
	}
}
