package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector/internal/httpapi"
)

// moody fails the next closings of dead letters.
type moody struct {
	httpapi.Desk
	fails int
}

func (m *moody) CloseDeadLetter(ctx context.Context, id, by string, at time.Time) error {
	if m.fails > 0 {
		m.fails--
		return fault.New(fault.LedgerUnavailable, "failover")
	}
	return m.Desk.CloseDeadLetter(ctx, id, by, at)
}

// desk is a rig with the dead letter of one message, as old as told.
type desk struct {
	*rig
	moody      *moody
	deadLetter string
}

func newDesk(t *testing.T, fails int, age time.Duration) *desk {
	t.Helper()
	d := &desk{moody: &moody{fails: fails}}
	d.rig = newRig(t, httpapi.Config{}, func(deps *httpapi.Deps) { d.moody.Desk, deps.Desk = deps.Desk, d.moody })
	err := d.ledger.RecordDeadLetter(t.Context(), ledger.DeadLetter{
		Tenant: "contoso", Message: "m-1", Subscription: "importer", Type: "devices.collected.v1", Code: fault.MessageExhausted, Attempts: 9, At: start.Add(-age),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.deadLetter = d.open(t)[0]
	return d
}

func (d *desk) open(t *testing.T) []string {
	t.Helper()
	ids := []string{}
	for _, l := range answer[deadLetterPage](t, d.get(t, "/v1/dead-letters", contosoOps), http.StatusOK).DeadLetters {
		ids = append(ids, l.ID)
	}
	return ids
}

// replay returns outcome and code, what the audit has as its newest outcome, and the detail.
func (d *desk) replay(t *testing.T) (outcome, audited, detail string) {
	t.Helper()
	body := map[string]any{"ids": []string{d.deadLetter}, "reason": "fixed"}
	result := answer[replays](t, d.post(t, "/v1/dead-letters/replay", contosoOps, body), http.StatusOK).Results[0]
	entries, err := d.ledger.Entries(t.Context(), "contoso", 1)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%+v %v", entries, err)
	}
	return strings.TrimSpace(result.Outcome + " " + string(result.Code)), entries[0].Outcome, result.Detail
}

// A ledger that fails for a moment does not leave the dead letter of a replayed message open.
func TestDeadLetterIsClosedAtTheSecondTry(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 1, time.Hour)
	d.parking.parked["importer/m-1"] = true
	if outcome, audited, _ := d.replay(t); outcome != "replayed" || audited != "replayed" {
		t.Errorf("%s, audited as %s", outcome, audited)
	}
	if open := d.open(t); len(open) != 0 {
		t.Errorf("open: %v", open)
	}
}

// A ledger that goes on failing does: the answer says that the message is back at work, and the next replay closes the dead letter.
func TestDeadLetterOfAMessageThatIsGoneIsClosed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 3, time.Hour)
	d.parking.parked["importer/m-1"] = true
	if outcome, audited, detail := d.replay(t); outcome != "replayed" || audited != "replayed" || !strings.Contains(detail, "could not be closed") {
		t.Errorf("%s, audited as %s: %s", outcome, audited, detail)
	}
	if open := d.open(t); len(open) != 1 || len(d.parking.back) != 1 {
		t.Fatalf("open: %v, back: %v", open, d.parking.back)
	}
	const gone = "gone request.not_found"
	if outcome, audited, detail := d.replay(t); outcome != gone || audited != gone || !strings.Contains(detail, "closed") {
		t.Errorf("%s, audited as %s: %s", outcome, audited, detail)
	}
	if open := d.open(t); len(open) != 0 {
		t.Errorf("open: %v", open)
	}
}

// Gone is only said when the dead letter is closed.
func TestDeadLetterThatCannotBeClosedIsNotGone(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 3, time.Hour)
	const failed = "failed ledger.unavailable"
	if outcome, audited, _ := d.replay(t); outcome != failed || audited != failed {
		t.Errorf("%s, audited as %s", outcome, audited)
	}
	if open := d.open(t); len(open) != 1 {
		t.Errorf("open: %v", open)
	}
}

// A dead letter is written before its message is parked: a young one is not taken for the dead letter of a message that is gone.
func TestYoungDeadLetterStaysOpen(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 0, time.Minute)
	if outcome, _, _ := d.replay(t); outcome != "failed request.not_found" {
		t.Error(outcome)
	}
	d.parking.parked["importer/m-1"] = true
	if outcome, _, _ := d.replay(t); outcome != "replayed" {
		t.Error(outcome)
	}
	if open := d.open(t); len(open) != 0 {
		t.Errorf("open: %v", open)
	}
}

// impatient is a client that goes away as soon as its message is back in the broker.
type impatient struct {
	*deadLetters
	leave context.CancelFunc
}

func (i impatient) Replay(ctx context.Context, subscription, id, newID string) error {
	defer i.leave()
	return i.deadLetters.Replay(ctx, subscription, id, newID)
}

func TestClientThatLeavesDoesNotLeaveADeadLetterOpen(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r := newRig(t, httpapi.Config{}, func(d *httpapi.Deps) { d.DeadLetters = impatient{d.DeadLetters.(*deadLetters), leave} })
	if err := r.ledger.RecordDeadLetter(t.Context(), ledger.DeadLetter{Message: "m-1", Subscription: "importer", Code: fault.MessageMalformed, At: start}); err != nil {
		t.Fatal(err)
	}
	r.parking.parked["importer/m-1"] = true
	open := answer[deadLetterPage](t, r.get(t, "/v1/dead-letters", houseKey), http.StatusOK).DeadLetters
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/dead-letters/replay", strings.NewReader(`{"ids":["`+open[0].ID+`"],"reason":"fixed"}`))
	req.Header.Set("Authorization", "Bearer "+houseKey)
	r.ServeHTTP(httptest.NewRecorder(), req)
	if left := answer[deadLetterPage](t, r.get(t, "/v1/dead-letters", houseKey), http.StatusOK).DeadLetters; len(left) != 0 {
		t.Errorf("%+v", left)
	}
	if entries, err := r.ledger.Entries(t.Context(), "", 1); err != nil || len(entries) != 1 || entries[0].Outcome != "replayed" {
		t.Errorf("%+v %v", entries, err)
	}
}
