// Package ledgertest is the contract of the ledger as a test suite: every database passes it without exception.
package ledgertest

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

// Open opens a ledger; each call opens the same database. The test closes it.
type Open func(t *testing.T) ledger.Ledger

// Run runs the suite. fresh makes an empty database.
func Run(t *testing.T, fresh func(t *testing.T) Open) {
	t.Helper()
	for _, group := range []map[string]func(*fixture){
		accepting, repeating, conflicts, batches, moving, claiming, submitting, budgets, deadLetters, decisions, rest,
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				open := fresh(t)
				test(&fixture{T: t, Ledger: open(t), open: open})
			})
		}
	}
}

// contoso is the tenant of most tests, fabrikam the other one.
const (
	contoso  device.TenantID = "contoso"
	fabrikam device.TenantID = "fabrikam"
)

// fixture is a test with a ledger and the steps that many tests take.
type fixture struct {
	*testing.T
	ledger.Ledger
	open Open
}

// now is a time as the ledger keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (b *fixture) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *fixture) mustFail(err error, code fault.Code) {
	b.Helper()
	if fault.CodeOf(err) != code {
		b.Fatalf("error %v, want %s", err, code)
	}
}

func (b *fixture) same(got, want any) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Fatalf("(-want +got)\n%s", diff)
	}
}

// batch opens a batch.
func (b *fixture) batch(tenant device.TenantID) ledger.Batch {
	b.Helper()
	opened, existed, err := b.OpenBatch(
		b.Context(),
		ledger.Batch{ID: newID(), Tenant: tenant, Source: "oem", Name: "may.csv"},
	)
	b.must(err)
	if existed {
		b.Fatal("a new batch existed")
	}
	return opened
}

// accept takes rows into a batch.
func (b *fixture) accept(batch ledger.Batch, rows ...intake.Candidate) []ledger.Receipt {
	b.Helper()
	receipts, err := b.Accept(b.Context(), batch, rows, ledger.Terms{Due: now()})
	b.must(err)
	if len(receipts) != len(rows) {
		b.Fatalf("%d receipts for %d rows", len(receipts), len(rows))
	}
	return receipts
}

// devices accepts n fresh devices of contoso and returns them in order.
func (b *fixture) devices(n int) []device.Device {
	b.Helper()
	rows := make([]intake.Candidate, n)
	for i := range rows {
		rows[i] = Candidate(i+1, i+1)
	}
	all := make([]device.Device, n)
	for i, r := range b.accept(b.batch(contoso), rows...) {
		all[i] = b.device(r.Device)
	}
	return all
}

// device reads a device of contoso.
func (b *fixture) device(id string) device.Device {
	b.Helper()
	found, err := b.Devices(b.Context(), contoso, []string{id})
	b.must(err)
	if len(found) != 1 {
		b.Fatalf("device %q: %d found", id, len(found))
	}
	return found[0]
}

// move moves a device from where it is, by legal steps, and returns it as it is then; the changes are those of the
// last.
func (b *fixture) move(id string, to device.State, change ...func(*ledger.Move)) device.Device {
	b.Helper()
	return MoveTo(b.T, b.Ledger, contoso, id, to, change...)
}

// together runs fn n times at once.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}

// outcomes counts receipts.
func outcomes(receipts []ledger.Receipt) map[device.RowOutcome]int {
	count := map[device.RowOutcome]int{}
	for _, r := range receipts {
		count[r.Outcome]++
	}
	return count
}
