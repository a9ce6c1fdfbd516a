package collect_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/event"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/sqlite"
	"taxiway.example/pkg/oemfile"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/collector/internal/collect"
)

var start = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func now() time.Time { return start }

// recorder keeps the events it is given, or refuses them.
type recorder struct {
	mu     sync.Mutex
	events []event.Event
	err    error
	calls  int
}

func (r *recorder) Emit(_ context.Context, events ...event.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls++; r.err != nil {
		return r.err
	}
	r.events = append(r.events, events...)
	return nil
}

// bench is a collector on a real ledger.
type fixture struct {
	*collect.Service
	ledger ledger.Ledger
	events *recorder
	tenant tenant.Tenant
}

func openLedger(tb testing.TB) ledger.Ledger {
	tb.Helper()
	l, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "ledger.db"), sqlite.Options{Now: now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

func newService(t testing.TB, c collect.Config, l collect.Ledger, e collect.Emitter) *collect.Service {
	t.Helper()
	s, err := collect.New(
		c,
		collect.Deps{
			Ledger:  l,
			Events:  e,
			Now:     now,
			Logger:  slog.New(slog.DiscardHandler),
			Metrics: prometheus.NewRegistry(),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newFixture(t testing.TB, c collect.Config) *fixture {
	t.Helper()
	b := &fixture{ledger: openLedger(t), events: &recorder{}, tenant: tenant.Tenant{ID: "contoso"}}
	b.Service = newService(t, c, b.ledger, b.events)
	return b
}

// delivery reads a text as a device list.
func (b *fixture) delivery(t testing.TB, r io.Reader) collect.Delivery {
	t.Helper()
	sum := sha256.New()
	f, err := oemfile.Open(io.TeeReader(r, sum), oemfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return collect.Delivery{
		Tenant: b.tenant,
		Source: "oem",
		Rows:   f.Rows(),
		Digest: func() string { return hex.EncodeToString(sum.Sum(nil)) },
	}
}

func (b *fixture) status(t testing.TB, id string) ledger.BatchStatus {
	t.Helper()
	s, err := b.ledger.Batch(t.Context(), b.tenant.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// results lists what became of each row: number, outcome, code, warnings.
func (b *fixture) results(t testing.TB, batch string) []string {
	t.Helper()
	rows, err := b.ledger.Rows(t.Context(), b.tenant.ID, batch, ledger.RowQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, r := range rows {
		text := fmt.Sprintf("%d %s %s %s", r.Row, r.Outcome, r.Code, strings.Join(r.Warnings, " "))
		list = append(list, strings.Join(strings.Fields(text), " "))
	}
	return list
}

// rowsOf yields rows, then the error if there is one.
func rowsOf(rows []intake.Row, err error) iter.Seq2[intake.Row, error] {
	return func(yield func(intake.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(intake.Row{}, err)
		}
	}
}
