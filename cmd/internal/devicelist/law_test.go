package devicelist_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"taxiway.example/cmd/internal/devicelist"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/ledger/sqlite"
	"taxiway.example/pkg/ledger/sqlledger"
	"taxiway.example/pkg/oemfile"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/validate"
)

var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

// A list gets offline, row by row, the outcomes that the collector and an empty ledger give it.
func TestOutcomesAreThoseOfTheLedger(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	lists := 0
	rapid.Check(t, func(rt *rapid.T) {
		lists++
		list := drawList(rt)
		want := outcomesOfLedger(rt, store, fmt.Sprintf("t%d", lists), list)
		got := offline(rt, list)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Errorf("ledger and offline differ (-ledger +offline):\n%s", diff)
		}
	})
}

// So it does with a list of devices that all claim one serial number, and have no TPM to tell them apart.
func TestSharedSerialsAreHeldAsByTheLedger(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var b strings.Builder
	b.WriteString("Device Serial Number,Windows Product ID,Hardware Hash\n")
	for i := range device.MaxClaims + 3 {
		r := hwhash.Synthetic(uint64(i))
		other := hwhash.Synthetic(0)
		r.Serial = other.Serial
		r.Manufacturer = other.Manufacturer
		r.Product = other.Product
		r.RemoveTPM()
		h, err := hwhash.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, ",,%s\n", h.Wire())
	}
	rapid.Check(t, func(rt *rapid.T) {
		want := outcomesOfLedger(rt, store, rapid.StringMatching(`t[a-z]{20}`).Draw(rt, "tenant"), b.String())
		if diff := cmp.Diff(want, offline(rt, b.String())); diff != "" ||
			!strings.Contains(want[len(want)-1], "device.identifier_shared") {
			rt.Errorf("%s %s", want[len(want)-1], diff)
		}
	})
}

// drawList makes up a list of few devices that share identifiers, in captures that may lack some.
func drawList(t *rapid.T) string {
	var b strings.Builder
	b.WriteString("Device Serial Number,Windows Product ID,Hardware Hash\n")
	few := rapid.IntRange(0, 2)
	uuids := []string{"\x11\x1cDE0QJ5\x809\xb2\xc0OW2\x01", "\x22\x1cDE0QJ5\x809\xb2\xc0OW2\x02", "\xFF", "a"}
	for range rapid.IntRange(1, 8).Draw(t, "rows") {
		r := hwhash.Synthetic(0)
		r.Serial = hwhash.NewSecret(
			rapid.SampledFrom([]string{"S-1", "S-2", "Default string", "11111111"}).Draw(t, "serial"),
		)
		uuid := rapid.SampledFrom(uuids).Draw(t, "uuid")
		r.UUID = hwhash.NewSecret(strings.Repeat(uuid, 16)[:16])
		r.Adapters = r.Adapters[:rapid.IntRange(0, 1).Draw(t, "adapters")]
		r.Product = []string{"Book", "Slate"}[rapid.IntRange(0, 1).Draw(t, "product")]
		if ek := few.Draw(t, "ek"); ek == 2 {
			r.RemoveTPM()
		} else {
			r.SetEK([]byte(strings.Repeat([]string{"k", "l"}[ek], 256)))
		}
		r.Tool.CapturedAt = time.Date(2026, 1, 1+few.Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		h, err := hwhash.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, ",,%s\n", h.Wire())
	}
	return b.String()
}

func outcomesOfLedger(t *rapid.T, store ledger.Ledger, id, list string) []string {
	batch, _, err := store.OpenBatch(
		context.Background(),
		ledger.Batch{ID: id, Tenant: device.TenantID(id), Source: "test", State: ledger.Receiving, Created: now},
	)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := validate.New()
	if err != nil {
		t.Fatal(err)
	}
	f, err := oemfile.Open(strings.NewReader(list), oemfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var rows []intake.Candidate
	for row, err := range f.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(
			rows,
			intake.Classify(
				context.Background(),
				rules,
				intake.Terms{Tenant: tenant.Tenant{ID: batch.Tenant}},
				row,
				now,
			),
		)
	}
	receipts, err := store.Accept(context.Background(), batch, rows, ledger.Terms{Due: now})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range receipts {
		out = append(out, fmt.Sprint(r.Row, r.Outcome, r.Code))
	}
	return out
}

func offline(t *rapid.T, list string) []string {
	c, err := devicelist.New("", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	l, err := c.Open("list.csv", strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for r, err := range l.Rows(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(r.Row, r.Outcome, r.Code))
	}
	return out
}
