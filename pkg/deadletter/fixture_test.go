package deadletter_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
	"taxiway.example/pkg/ledger/sqlite"
)

var start = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

// The operators of the tests.
var (
	ours   = deadletter.Operator{Name: "ada", Tenant: "contoso"}
	theirs = deadletter.Operator{Name: "bob", Tenant: "fabrikam"}
	global = deadletter.Operator{Name: "eve"}
)

// flaky is a ledger that fails the next closings and every audit entry, where told to.
type flaky struct {
	ledger.Ledger
	closings int // that fail
	noAudit  bool
}

func (f *flaky) CloseDeadLetter(ctx context.Context, id, by string, at time.Time) error {
	if f.closings > 0 {
		f.closings--
		return fault.New(fault.LedgerUnavailable, "failover")
	}
	return f.Ledger.CloseDeadLetter(ctx, id, by, at)
}

func (f *flaky) Append(ctx context.Context, e ledger.AuditEntry) error {
	if f.noAudit {
		return fault.New(fault.LedgerUnavailable, "failover")
	}
	return f.Ledger.Append(ctx, e)
}

// queues are the dead-letter queues of a broker.
type queues struct {
	held   map[string]bool   // subscription/id
	back   map[string]string // new id by old
	err    error
	called func()
}

func (q *queues) Replay(_ context.Context, subscription, id, newID string) error {
	if q.called != nil {
		defer q.called()
	}
	switch {
	case q.err != nil:
		return q.err
	case !q.held[subscription+"/"+id]:
		return fault.New(fault.RequestNotFound, "not in the queue")
	}
	delete(q.held, subscription+"/"+id)
	q.back[id] = newID
	return nil
}

// fixture is a Service on a real ledger.
type fixture struct {
	*testing.T
	*deadletter.Service
	ledger *flaky
	queues *queues
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	now := func() time.Time { return start }
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	f := &fixture{T: t, ledger: &flaky{Ledger: l}, queues: &queues{held: map[string]bool{}, back: map[string]string{}}}
	f.Service = deadletter.New(deadletter.Deps{
		Ledger: f.ledger, Queues: f.queues, Now: now, Logger: slog.New(slog.DiscardHandler),
	})
	return f
}

// accept takes in devices of contoso and returns their ids.
func (f *fixture) accept(rows ...intake.Candidate) []string {
	f.Helper()
	b, _, err := f.ledger.OpenBatch(f.Context(), ledger.Batch{ID: "b-1", Tenant: "contoso", Source: "test"})
	if err != nil {
		f.Fatal(err)
	}
	receipts, err := f.ledger.Accept(f.Context(), b, rows, ledger.Terms{Due: start})
	if err != nil {
		f.Fatal(err)
	}
	ids := make([]string, len(receipts))
	for i, r := range receipts {
		ids[i] = r.Device
	}
	return ids
}

// die gives n devices of contoso up and returns their dead letters.
func (f *fixture) die(n int) []ledger.DeadLetter {
	f.Helper()
	rows := make([]intake.Candidate, n)
	for i := range rows {
		rows[i] = ledgertest.Candidate(i+1, i+1)
	}
	for _, id := range f.accept(rows...) {
		ledgertest.MoveTo(f, f.ledger, "contoso", id, device.Dead, func(m *ledger.Move) {
			m.Code = fault.AutopilotInvalidHash
		})
	}
	return f.open(ours)
}

// record keeps the dead letter of a message and returns its id.
func (f *fixture) record(tenant device.TenantID, message string, age time.Duration) string {
	f.Helper()
	l := ledger.DeadLetter{
		Tenant: tenant, Message: message, Subscription: "importer", Type: "devices.collected.v1",
		Code: fault.MessageExhausted, Attempts: 9, At: start.Add(-age),
	}
	if err := f.ledger.RecordDeadLetter(f.Context(), l); err != nil {
		f.Fatal(err)
	}
	for _, l := range f.open(global) {
		if l.Message == message {
			return l.ID
		}
	}
	f.Fatalf("no dead letter of %s", message)
	return ""
}

// open returns the open dead letters that an operator sees.
func (f *fixture) open(by deadletter.Operator) []ledger.DeadLetter {
	f.Helper()
	found, err := f.List(f.Context(), by, deadletter.Query{})
	if err != nil {
		f.Fatal(err)
	}
	return found
}

// replayed replays one dead letter and returns outcome and code, what the audit has as its newest outcome, and the
// detail.
func (f *fixture) replayed(by deadletter.Operator, id string) (outcome, audited, detail string) {
	f.Helper()
	results, err := f.Replay(f.Context(), by, []string{id}, "fixed")
	if err != nil || len(results) != 1 {
		f.Fatal(results, err)
	}
	for _, e := range f.audited("contoso", 1) {
		audited = e.Outcome
	}
	return strings.TrimSpace(string(results[0].Outcome) + " " + string(results[0].Code)), audited, results[0].Detail
}

func (f *fixture) audited(tenant device.TenantID, limit int) []ledger.AuditEntry {
	f.Helper()
	entries, err := f.ledger.Entries(f.Context(), tenant, limit)
	if err != nil {
		f.Fatal(err)
	}
	return entries
}
