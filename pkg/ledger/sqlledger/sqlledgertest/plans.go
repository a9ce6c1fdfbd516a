package sqlledgertest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
)

const tenant device.TenantID = "contoso"

// Filled says what Fill has left.
type Filled struct {
	Batch      ledger.Batch // one of many
	Devices    []string     // of that batch, in the order of rows
	DeadLetter string       // the dead letter of a dead device
}

func must[T any](tb testing.TB) func(T, error) T {
	return func(value T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return value
	}
}

// Fill takes in batches of rows, most of them accepted, and lets devices of each die and others get ready, so that a
// planner has a reason to use an index.
func Fill(tb testing.TB, l ledger.Ledger, batches, rows int) Filled {
	tb.Helper()
	var f Filled
	for n := range batches {
		f.Batch = Open(tb, l)
		var candidates []intake.Candidate
		for i := range rows {
			c := ledgertest.Candidate(i+1, n*rows+i+1)
			if i%20 == 0 {
				c = ledgertest.Rejected(i + 1)
			}
			candidates = append(candidates, c)
		}
		f.Devices = nil
		for _, r := range must[[]ledger.Receipt](tb)(l.Accept(tb.Context(), f.Batch, candidates, ledger.Terms{Due: time.Now()})) {
			if r.Device != "" {
				f.Devices = append(f.Devices, r.Device)
			}
		}
		for i, id := range f.Devices[:rows/10] {
			ledgertest.MoveTo(tb, l, tenant, id, []device.State{device.Dead, device.Ready}[i%2], func(m *ledger.Move) {
				m.Code = "autopilot.unknown_outcome"
			})
		}
	}
	open := ledger.DeadLetterQuery{Tenant: tenant, Limit: 1}
	f.DeadLetter = must[[]ledger.DeadLetter](tb)(l.DeadLetters(tb.Context(), open))[0].ID
	return f
}

// Open opens a batch.
func Open(tb testing.TB, l ledger.Ledger) ledger.Batch {
	tb.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	batch, _, err := l.OpenBatch(
		tb.Context(),
		ledger.Batch{ID: id, Tenant: tenant, Source: "oem", IdempotencyKey: "key of " + id},
	)
	if err != nil {
		tb.Fatal(err)
	}
	return batch
}

// Plans runs everything that a person or the pipeline waits for and passes each statement to check.
func Plans(t *testing.T, l ledger.Ledger, r *Recording, f Filled, check func(t *testing.T, s Statement)) {
	t.Helper()
	now := time.Now()
	claim := ledger.Claim{Tenant: tenant, Now: now, Until: now, Limit: 100}
	s := ledger.Submission{
		ID:       uuid.Must(uuid.NewV7()).String(),
		Tenant:   tenant,
		ImportID: uuid.Must(uuid.NewV7()).String(),
		Due:      now,
	}
	last := len(f.Devices) - 1
	for name, op := range map[string]func(context.Context) error{
		"batch": func(ctx context.Context) error { _, err := l.Batch(ctx, tenant, f.Batch.ID); return err },
		"batch/key": func(ctx context.Context) error {
			_, err := l.BatchByKey(ctx, tenant, f.Batch.IdempotencyKey)
			return err
		},
		"rows": func(ctx context.Context) error {
			_, err := l.Rows(ctx, tenant, f.Batch.ID, ledger.RowQuery{After: 50})
			return err
		},
		"rows/outcome": func(ctx context.Context) error {
			_, err := l.Rows(ctx, tenant, f.Batch.ID, ledger.RowQuery{Outcome: device.Rejected, Limit: 5})
			return err
		},
		"devices":   func(ctx context.Context) error { _, err := l.Devices(ctx, tenant, f.Devices[:100]); return err },
		"by serial": func(ctx context.Context) error { _, err := l.BySerial(ctx, tenant, ledgertest.Serial(77)); return err },
		"captures":  func(ctx context.Context) error { _, err := l.Captures(ctx, tenant, f.Devices[:100]); return err },
		"timeline":  func(ctx context.Context) error { _, err := l.Timeline(ctx, tenant, f.Devices[0]); return err },
		"erase":     func(ctx context.Context) error { _, err := l.EraseCaptures(ctx, now.Add(time.Hour), 5); return err },
		"due":       func(ctx context.Context) error { _, err := l.ClaimDevices(ctx, device.StageImport, claim); return err },
		"due subs": func(ctx context.Context) error {
			_, err := l.ClaimSubmissions(ctx, claim, ledger.SubmissionOpen)
			return err
		},
		"dead_letters": func(ctx context.Context) error {
			_, err := l.DeadLetters(ctx, ledger.DeadLetterQuery{Tenant: tenant, After: f.DeadLetter, Limit: 5})
			return err
		},
		"dead_letters/code": func(ctx context.Context) error {
			_, err := l.DeadLetters(ctx, ledger.DeadLetterQuery{Tenant: tenant, Code: "x.y"})
			return err
		},
		"dead_letters/ids": func(ctx context.Context) error {
			_, err := l.DeadLetters(ctx, ledger.DeadLetterQuery{Tenant: tenant, IDs: []string{f.DeadLetter}})
			return err
		},
		"dead_letters/all": func(ctx context.Context) error {
			_, err := l.DeadLetters(ctx, ledger.DeadLetterQuery{All: true, After: f.DeadLetter, Limit: 5})
			return err
		},
		"dead_letters/any": func(ctx context.Context) error {
			_, err := l.DeadLetters(ctx, ledger.DeadLetterQuery{All: true, Code: "x.y"})
			return err
		},
		"audit": func(ctx context.Context) error { _, err := l.Entries(ctx, tenant, 5); return err },
		"accept": func(ctx context.Context) error {
			rows := []intake.Candidate{ledgertest.Candidate(1<<20, 1), ledgertest.Identifiers(1<<20+1, 0, 2, 3)}
			_, err := l.Accept(ctx, f.Batch, rows, ledger.Terms{Due: now})
			return err
		},
		"move": func(ctx context.Context) error {
			_, err := l.Move(ctx, ledger.Move{Tenant: tenant, Device: f.Devices[last], Version: 1, To: device.Dead, Code: "x.y"})
			return err
		},
		"revive": func(ctx context.Context) error { _, err := l.Revive(ctx, f.DeadLetter, now, "test"); return err },
		"begin": func(ctx context.Context) error {
			_, err := l.Begin(ctx, s, []ledger.Ref{{ID: f.Devices[last-1], Version: 1}}, "test")
			return err
		},
		"advance": func(ctx context.Context) error {
			_, err := l.Advance(ctx, ledger.SubmissionChange{Submission: s, Items: []ledger.Item{{Device: f.Devices[last-1]}}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r.Take()
			if err := op(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, statement := range r.Take() {
				check(t, statement)
			}
		})
	}
}
