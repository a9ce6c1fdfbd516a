package sqlledgertest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/ledgertest"
)

// captureSize is the length of a usual hardware hash without its zero tail, in bytes.
const captureSize = 1200

// BenchmarkAccept measures taking in rows, a chunk a call, and beside it, in turn, the floor: the same rows inserted
// into the same tables of another database by the same statements in one transaction, with nothing looked up or
// decided. It reports the rows a second of both and their ratio.
func BenchmarkAccept(b *testing.B, l ledger.Ledger, r *Recording, floor *sql.DB, chunk int) {
	batch := Open(b, l)
	taken := time.Duration(0)
	raw := time.Duration(0)
	next := 1
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		rows := make([]intake.Candidate, chunk)
		for i := range rows {
			rows[i] = ledgertest.Candidate(next, next)
			rows[i].Canonical = make([]byte, captureSize)
			_, _ = rand.Read(rows[i].Canonical) // never fails
			next++
		}
		r.Take()
		b.StartTimer()
		start := time.Now()
		if _, err := l.Accept(b.Context(), batch, rows, ledger.Terms{Due: start}); err != nil {
			b.Fatal(err)
		}
		taken += time.Since(start)
		b.StopTimer()
		inserts := r.Take()
		start = time.Now()
		if err := insert(b.Context(), floor, inserts); err != nil {
			b.Fatal(err)
		}
		raw += time.Since(start)
		b.StartTimer()
	}
	n := float64(b.N * chunk)
	b.ReportMetric(n/taken.Seconds(), "rows/s")
	b.ReportMetric(n/raw.Seconds(), "raw-rows/s")
	b.ReportMetric(raw.Seconds()/taken.Seconds(), "ratio")
}

// BenchmarkReads measures what people wait for, with fifty thousand devices in a hundred batches.
func BenchmarkReads(b *testing.B, l ledger.Ledger) {
	f := Fill(b, l, 100, 500)
	for _, read := range []struct {
		name string
		fn   func(context.Context) error
	}{
		{"batch", func(ctx context.Context) error { _, err := l.Batch(ctx, tenant, f.Batch.ID); return err }},
		{"serial", func(ctx context.Context) error {
			_, err := l.BySerial(ctx, tenant, ledgertest.Serial(25_002))
			return err
		}},
		{"dead_letters", func(ctx context.Context) error {
			q := ledger.DeadLetterQuery{Tenant: tenant, Code: "autopilot.unknown_outcome", After: f.DeadLetter}
			_, err := l.DeadLetters(ctx, q)
			return err
		}},
		{"devices", func(ctx context.Context) error { _, err := l.Devices(ctx, tenant, f.Devices[:100]); return err }},
	} {
		b.Run(read.name, func(b *testing.B) {
			for b.Loop() {
				if err := read.fn(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func insert(ctx context.Context, db *sql.DB, statements []Statement) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, s := range statements {
		if !strings.HasPrefix(s.SQL, "INSERT") {
			continue
		}
		if _, err := tx.ExecContext(ctx, s.SQL, s.Args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
