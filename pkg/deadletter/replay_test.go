package deadletter_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

func TestList(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.die(5)
	f.record("", "m-1", 0)
	for _, c := range []struct {
		by   deadletter.Operator
		want int
	}{{ours, 5}, {theirs, 0}, {global, 6}} {
		if got := f.open(c.by); len(got) != c.want {
			t.Errorf("%s sees %d dead letters, want %d", c.by.Name, len(got), c.want)
		}
	}
	list := func(q deadletter.Query) []ledger.DeadLetter {
		found, err := f.List(t.Context(), global, q)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if got := list(deadletter.Query{Code: fault.MessageExhausted}); len(got) != 1 || got[0].Message != "m-1" {
		t.Errorf("%+v", got)
	}
	first := list(deadletter.Query{Limit: 2})
	if rest := list(deadletter.Query{After: first[1].ID}); len(first) != 2 || len(rest) != 4 {
		t.Errorf("%d and %d", len(first), len(rest))
	}
	f.replayed(ours, first[0].ID)
	closed := list(deadletter.Query{State: ledger.DeadLetterReplayed})
	if len(closed) != 1 || closed[0].ClosedBy != "operator:ada" {
		t.Errorf("%+v", closed)
	}
	for _, q := range []deadletter.Query{{State: "lost"}, {Limit: -1}, {Limit: deadletter.MaxPage + 1}} {
		if _, err := f.List(t.Context(), global, q); fault.CodeOf(err) != fault.RequestInvalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// A device goes back to work once, for an operator who may see it; every attempt is in the audit.
func TestReplayOfDevices(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	open := f.die(2)
	if outcome, _, _ := f.replayed(theirs, open[0].ID); outcome != "failed request.not_found" {
		t.Errorf("another tenant's operator: %s", outcome)
	}
	results, err := f.Replay(t.Context(), ours, []string{open[0].ID, "unknown", open[0].ID}, " fixed ")
	if err != nil || len(results) != 2 {
		t.Fatal(results, err)
	}
	i := slices.IndexFunc(results, func(r deadletter.Result) bool { return r.Outcome == deadletter.Replayed })
	if i < 0 || results[i].ID != open[0].ID || results[i].Device != open[0].Device {
		t.Fatalf("%+v", results)
	}
	if results[1-i].Code != fault.RequestNotFound {
		t.Errorf("%+v", results[1-i])
	}
	outcome, audited, _ := f.replayed(ours, open[0].ID)
	if outcome != "failed device.not_replayable" || audited != outcome {
		t.Errorf("a second time: %s, audited as %s", outcome, audited)
	}
	devices, err := f.ledger.Devices(t.Context(), "contoso", []string{open[0].Device, open[1].Device})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		want := device.Dead
		if d.ID == open[0].Device {
			want = open[0].From.ReplayTo(open[0].Code)
		}
		if d.State != want || want != device.Dead && !d.Due.Equal(start) {
			t.Errorf("%s, due %s, want %s", d.State, d.Due, want)
		}
	}
	entries := f.audited("contoso", 10)
	want := ledger.AuditEntry{
		At:     start,
		Tenant: "contoso",
		Actor:  "operator:ada",
		Action: "dead_letter.replay",
		Reason: "fixed",
	}
	for _, e := range entries {
		if want.Object, want.Outcome = e.Object, e.Outcome; e != want || e.Object == "" || e.Outcome == "" {
			t.Errorf("%+v, want %+v", e, want)
		}
	}
	if others := f.audited("fabrikam", 10); len(entries) != 3 || len(others) != 1 || others[0].Actor != "operator:bob" {
		t.Errorf("%d entries, of the other tenant %+v", len(entries), others)
	}
}

// A global operator replays; the entry is that of the tenant whose dead letter it was.
func TestAuditEntryBelongsToTheDeadLettersTenant(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if outcome, audited, _ := f.replayed(global, f.die(1)[0].ID); outcome != "replayed" || audited != "replayed" {
		t.Errorf("%s, audited as %q", outcome, audited)
	}
}

func TestReplayTellsOfALostAuditEntry(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ledger.noAudit = true
	outcome, _, detail := f.replayed(ours, f.die(1)[0].ID)
	if outcome != "replayed" || !strings.Contains(detail, "The entry in the audit could not be written.") {
		t.Errorf("%s: %s", outcome, detail)
	}
}

func TestReplayRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.record("contoso", "m-1", time.Hour)
	many := make([]string, deadletter.MaxReplay+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, c := range map[string]struct {
		ids    []string
		reason string
	}{
		"no ids":            {nil, "x"},
		"too many":          {many, "x"},
		"NUL in an id":      {[]string{id, "a\x00"}, "x"},
		"no reason":         {[]string{id}, " "},
		"a long reason":     {[]string{id}, strings.Repeat("x", deadletter.MaxReason+1)},
		"NUL in the reason": {[]string{id}, "a\x00"},
	} {
		results, err := f.Replay(t.Context(), ours, c.ids, c.reason)
		if fault.CodeOf(err) != fault.RequestInvalid || results != nil {
			t.Errorf("%s: %v %v", name, results, err)
		}
	}
	if entries := f.audited("contoso", 1); len(entries) != 0 {
		t.Errorf("%+v", entries)
	}
}
