package collect_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/collector/internal/collect"
	"taxiway.example/services/collector/internal/collectortest"
)

// kinds are rows as files hold them: the record, and the outcome it must have when its device is new.
var kinds = map[string]device.RowOutcome{
	"good": device.Accepted, "again": device.Duplicate, "recaptured": device.Duplicate, "swapped board": device.Conflict,
	"cut": device.Rejected, "edited": device.Rejected, "other serial": device.Rejected, "bad tag": device.Rejected,
	"comma": device.Rejected, "open quote": device.Rejected, "no hash": device.Rejected, "lost zeros": device.Accepted,
}

// record writes a record of the kind for the device of the seed; known is a seed that was accepted before.
func record(t testing.TB, kind string, seed, known uint64) string {
	t.Helper()
	later := func(r *hwhash.Report) { r.Tool.CapturedAt = r.Tool.CapturedAt.Add(time.Hour) }
	if slices.Contains([]string{"again", "recaptured", "swapped board"}, kind) {
		seed = known
	}
	zeros := func(r *hwhash.Report) { r.Serial = hwhash.NewSecret(fmt.Sprintf("000%d", 10_000+seed)) }
	swap := func(r *hwhash.Report) {
		other := hwhash.Synthetic(seed + 1_000_000)
		r.EK = other.EK
		r.OfflineID = other.OfflineID
		r.UUID = other.UUID
	}
	change := map[string]func(*hwhash.Report){"recaptured": later, "swapped board": swap, "lost zeros": zeros}[kind]
	serial, wire := collectortest.Device(t, seed, change)
	switch kind {
	case "cut":
		return serial + ",," + wire[:800] + ",,"
	case "edited":
		return serial + ",," + wire[:400] + "AAAA" + wire[404:] + ",,"
	case "other serial":
		return "5CD0000BBB,," + wire + ",,"
	case "bad tag":
		return serial + ",," + wire + ",\"A,B\","
	case "comma":
		return "AB,12,," + wire
	case "open quote":
		return "\"" + serial + ",," + wire + ",,"
	case "no hash":
		return serial + ",,,,"
	case "lost zeros":
		return fmt.Sprintf("%d,,%s,,", 10_000+seed, wire)
	}
	return serial + ",," + wire + ",,"
}

// Conservation: every row ends in exactly one outcome, that of its kind, whatever stands beside it; the counts of the
// answer are those of the ledger; and exactly the accepted devices are announced.
func TestConservation(t *testing.T) {
	t.Parallel()
	shared := openLedger(t)
	tries := 0
	rapid.Check(t, func(rt *rapid.T) {
		tries++ // a tenant of its own for each try
		b := &fixture{
			ledger: shared,
			events: &recorder{},
			tenant: tenant.Tenant{ID: device.TenantID(fmt.Sprintf("tenant-%d", tries))},
		}
		b.Service = newService(t, collect.Config{Chunk: rapid.IntRange(2, 9).Draw(rt, "chunk")}, shared, b.events)
		text := collectortest.Header + record(t, "good", 1, 1) + "\r\n"
		want := map[device.RowOutcome]int{device.Accepted: 1}
		n := rapid.IntRange(1, 12).Draw(rt, "rows")
		for i := range n {
			kind := rapid.SampledFrom([]string{
				"good", "again", "recaptured", "swapped board", "cut", "edited", "other serial", "bad tag", "comma",
				"open quote", "no hash", "lost zeros",
			}).Draw(rt, "kind")
			text += record(t, kind, uint64(100+i), 1) + "\r\n"
			want[kinds[kind]]++
		}
		result, err := b.Take(t.Context(), b.delivery(t, strings.NewReader(text)))
		if err != nil {
			rt.Fatal(err)
		}
		status := b.status(t, result.Batch.ID)
		accepted := 0
		for _, n := range status.States {
			accepted += n
		}
		if result.Rows != n+1 || status.Rows != n+1 || accepted != want[device.Accepted] {
			rt.Fatalf(
				"%d rows sent, %d answered, %d kept; %d devices of %d",
				n+1,
				result.Rows,
				status.Rows,
				accepted,
				want[device.Accepted],
			)
		}
		for _, outcome := range []device.RowOutcome{device.Accepted, device.Duplicate, device.Conflict, device.Rejected} {
			if result.Outcomes[outcome] != want[outcome] || status.Outcomes[outcome] != want[outcome] {
				rt.Fatalf(
					"%s: want %d, answered %d, kept %d",
					outcome,
					want[outcome],
					result.Outcomes[outcome],
					status.Outcomes[outcome],
				)
			}
		}
		announced := 0
		for _, e := range b.events.events {
			announced += len(e.Devices)
		}
		if announced != want[device.Accepted] {
			rt.Fatalf("%d devices announced, %d accepted", announced, want[device.Accepted])
		}
	})
}

// forgetful takes every row and keeps none.
type forgetful struct{ onChunk func() }

func (forgetful) OpenBatch(_ context.Context, b ledger.Batch) (ledger.Batch, bool, error) {
	return b, false, nil
}
func (forgetful) CloseBatch(context.Context, ledger.Batch) error { return nil }

func (f forgetful) Accept(
	_ context.Context,
	_ ledger.Batch,
	rows []intake.Candidate,
	_ ledger.Terms,
) ([]ledger.Receipt, error) {
	f.onChunk()
	receipts := make([]ledger.Receipt, len(rows))
	for i, r := range rows {
		receipts[i] = ledger.Receipt{Row: r.Row, Outcome: device.Accepted, Device: "id"}
	}
	return receipts, nil
}

// What is alive in memory after thirty megabytes is what was alive after two.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	const rows = 8_000
	serial, wire := collectortest.Device(t, 1, nil)
	var early, most uint64
	chunks := 0
	keep := forgetful{onChunk: func() {
		switch chunks++; {
		case chunks == 3:
			early = collectortest.Alive()
		case chunks%8 == 0:
			most = max(most, collectortest.Alive())
		}
	}}
	s := newService(t, collect.Config{Chunk: 100}, keep, &recorder{err: io.EOF})
	b := &fixture{Service: s}
	text := &collectortest.Repeated{Head: collectortest.Header, Row: serial + ",," + wire + ",,\r\n", Left: rows}
	result, err := s.Take(t.Context(), b.delivery(t, text))
	if err != nil || result.Rows != rows {
		t.Fatal(result.Rows, err)
	}
	// Five chunks of 100 rows with text and bytes of a hash each; the rest is slack.
	const slack = 5 * 100 * 12_000
	if most > early+slack {
		t.Errorf("%d bytes alive at the beginning, %d later", early, most)
	}
	t.Logf(
		"%d rows, %d MB: alive %d KB at the beginning, at most %d KB later",
		rows,
		rows*len(wire)>>20,
		early>>10,
		most>>10,
	)
}

func BenchmarkTake(b *testing.B) {
	serial, wire := collectortest.Device(b, 1, nil)
	row := serial + ",," + wire + ",Kiosk,ada@contoso.com\r\n"
	s := newService(b, collect.Config{}, forgetful{onChunk: func() {}}, &recorder{err: io.EOF})
	b.SetBytes(int64(len(row)))
	b.ReportAllocs()
	fixture := &fixture{Service: s}
	if _, err := s.Take(b.Context(), fixture.delivery(b, &collectortest.Repeated{Head: collectortest.Header, Row: row, Left: min(b.N, 1_000_000)})); err != nil {
		b.Fatal(err)
	}
}
