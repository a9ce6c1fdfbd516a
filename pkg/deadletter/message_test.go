package deadletter_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/fault"
)

// A message is back in the broker before its dead letter is closed; while the broker is down, the dead letter stays
// open.
func TestAMessageGoesBackUnderANewID(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.record("contoso", "m-1", time.Hour)
	f.queues.held["importer/m-1"] = true
	f.queues.err = fault.New(fault.BrokerUnavailable, "")
	if outcome, audited, _ := f.replayed(ours, id); outcome != "failed broker.unavailable" || audited != outcome {
		t.Errorf("%s, audited as %s", outcome, audited)
	}
	f.queues.err = nil
	if outcome, audited, _ := f.replayed(ours, id); outcome != "replayed" || audited != outcome {
		t.Errorf("%s, audited as %s", outcome, audited)
	}
	if fresh := f.queues.back["m-1"]; fresh == "" || fresh == "m-1" {
		t.Errorf("the message went back under %q", fresh)
	}
	if open := f.open(ours); len(open) != 0 {
		t.Errorf("open: %v", open)
	}
}

// A ledger that fails for a moment does not leave the dead letter of a replayed message open.
func TestDeadLetterIsClosedAtTheSecondTry(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.record("contoso", "m-1", time.Hour)
	f.queues.held["importer/m-1"] = true
	f.ledger.closings = 1
	if outcome, audited, _ := f.replayed(ours, id); outcome != "replayed" || audited != "replayed" {
		t.Errorf("%s, audited as %s", outcome, audited)
	}
	if open := f.open(ours); len(open) != 0 {
		t.Errorf("open: %v", open)
	}
}

// A ledger that goes on failing does: the result says that the message is back at work, and the next replay closes the
// dead letter.
func TestDeadLetterOfAMessageThatIsGoneIsClosed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.record("contoso", "m-1", time.Hour)
	f.queues.held["importer/m-1"] = true
	f.ledger.closings = 3
	outcome, audited, detail := f.replayed(ours, id)
	if outcome != "replayed" || audited != outcome || !strings.Contains(detail, "could not be closed") {
		t.Errorf("%s, audited as %s: %s", outcome, audited, detail)
	}
	if open := f.open(ours); len(open) != 1 || len(f.queues.back) != 1 {
		t.Fatalf("open: %v, back: %v", open, f.queues.back)
	}
	outcome, audited, detail = f.replayed(ours, id)
	if outcome != "gone request.not_found" || audited != outcome || !strings.Contains(detail, "closed") {
		t.Errorf("%s, audited as %s: %s", outcome, audited, detail)
	}
	if open := f.open(ours); len(open) != 0 {
		t.Errorf("open: %v", open)
	}
}

// Gone is only said when the dead letter is closed.
func TestDeadLetterThatCannotBeClosedIsNotGone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.record("contoso", "m-1", time.Hour)
	f.ledger.closings = 3
	const failed = "failed ledger.unavailable"
	if outcome, audited, _ := f.replayed(ours, id); outcome != failed || audited != failed {
		t.Errorf("%s, audited as %s", outcome, audited)
	}
	if open := f.open(ours); len(open) != 1 {
		t.Errorf("open: %v", open)
	}
}

// A dead letter is written before its message is in the queue: a young one is not taken for that of a message that is
// gone.
func TestYoungDeadLetterStaysOpen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	id := f.record("contoso", "m-1", time.Minute)
	if outcome, _, _ := f.replayed(ours, id); outcome != "failed request.not_found" {
		t.Error(outcome)
	}
	f.queues.held["importer/m-1"] = true
	if outcome, _, _ := f.replayed(ours, id); outcome != "replayed" {
		t.Error(outcome)
	}
	if open := f.open(ours); len(open) != 0 {
		t.Errorf("open: %v", open)
	}
}

// The caller goes away as soon as the message is back in the broker. The message names no tenant: so does its audit
// entry.
func TestCallerThatLeavesDoesNotLeaveADeadLetterOpen(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	f := newFixture(t)
	id := f.record("", "m-1", time.Hour)
	f.queues.held["importer/m-1"] = true
	f.queues.called = leave
	if results, err := f.Replay(ctx, global, []string{id}, "fixed"); err != nil || results[0].Outcome != "replayed" {
		t.Fatal(results, err)
	}
	if open := f.open(global); len(open) != 0 {
		t.Errorf("%+v", open)
	}
	entries := f.audited("", 1)
	if len(entries) != 1 || entries[0].Outcome != "replayed" || entries[0].Actor != "operator:eve" {
		t.Errorf("%+v", entries)
	}
}
