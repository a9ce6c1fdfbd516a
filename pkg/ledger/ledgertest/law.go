package ledgertest

import (
	"fmt"

	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

// law checks for any sequence of deliveries, redeliveries and moves:
//
//   - rows = rejected + duplicate + conflict + accepted + updated, and accepted + updated = the sum of the states of the
//     devices that they name;
//   - a row is answered alike however often it is delivered, but for a duplicate whose check is decided meanwhile;
//   - no two accepted devices of a tenant are one device or contradict each other.
func law(b *fixture) {
	tenants := 0
	rapid.Check(b.T, func(t *rapid.T) {
		tenants++ // each run has a tenant, and thereby a ledger, of its own
		w := &model{
			fixture: b,
			T:       t,
			tenant:  device.TenantID(fmt.Sprintf("tenant-%d", tenants)),
			rows:    map[int]intake.Candidate{},
			answers: map[int]ledger.Receipt{},
		}
		w.open()
		w.deliver(t)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			rapid.SampledFrom([]func(*rapid.T){w.deliver, w.redeliver, w.move}).Draw(t, "step")(t)
		}
		w.check(t)
	})
}

type model struct {
	*fixture
	T       *rapid.T
	tenant  device.TenantID
	batch   ledger.Batch
	rows    map[int]intake.Candidate
	answers map[int]ledger.Receipt
}

func (w *model) open() {
	w.batch = ledger.Batch{ID: newID(), Tenant: w.tenant, Source: "law"}
	if _, _, err := w.OpenBatch(w.Context(), w.batch); err != nil {
		w.T.Fatal(err)
	}
}

// deliver takes in a few new rows of few devices, so that they meet.
func (w *model) deliver(t *rapid.T) {
	var rows []intake.Candidate
	for range rapid.IntRange(1, 5).Draw(t, "rows") {
		number := len(w.rows) + 1
		c := Rejected(number)
		if !rapid.Bool().Draw(t, "reject") {
			one := rapid.IntRange(1, 3)
			c = Identifiers(number, one.Draw(t, "ek"), one.Draw(t, "uuid"), one.Draw(t, "serial"))
			c = Recapture(c, rapid.IntRange(0, 2).Draw(t, "hours"))
		}
		w.rows[number] = c
		rows = append(rows, c)
	}
	w.take(t, rows)
}

func (w *model) redeliver(t *rapid.T) {
	var rows []intake.Candidate
	for _, n := range rapid.SliceOfN(rapid.IntRange(1, len(w.rows)), 1, 4).Draw(t, "again") {
		rows = append(rows, w.rows[n])
	}
	w.take(t, rows)
}

func (w *model) take(t *rapid.T, rows []intake.Candidate) {
	receipts, err := w.Accept(w.Context(), w.batch, rows, ledger.Terms{Due: now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range receipts {
		before, known := w.answers[r.Row]
		if checked := before.Code == fault.DeviceCheckDue; known && !checked && fmt.Sprint(before) != fmt.Sprint(r) {
			t.Fatalf("row %d: %+v, before that %+v", r.Row, r, before)
		}
		w.answers[r.Row] = r
	}
}

// move moves the device of some row anywhere but out of service, which frees its identity.
func (w *model) move(t *rapid.T) {
	r := w.answers[rapid.IntRange(1, len(w.rows)).Draw(t, "row")]
	found, err := w.Devices(w.Context(), w.tenant, []string{r.Device})
	if err != nil {
		t.Fatal(err)
	}
	to := rapid.SampledFrom(device.States()).Draw(t, "to")
	if len(found) == 0 || found[0].Variant != "" || to == device.Retired {
		return
	}
	if !found[0].State.CanBecome(to) {
		_, err := w.Move(
			w.Context(),
			ledger.Move{Tenant: w.tenant, Device: r.Device, Version: found[0].Version, To: to},
		)
		if !fault.Is(err, fault.DeviceIllegalTransition) {
			t.Fatalf("%s → %s: %v", found[0].State, to, err)
		}
		return
	}
	m := ledger.Move{Tenant: w.tenant, Device: r.Device, Version: found[0].Version, To: to, Code: "test.code"}
	if applied, err := w.Move(w.Context(), m); err != nil || !applied[0] {
		t.Fatal(applied, err)
	}
}

func (w *model) check(t *rapid.T) {
	status, err := w.Batch(w.Context(), w.tenant, w.batch.ID)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, n := range status.Outcomes {
		sum += n
	}
	states := 0
	for _, n := range status.States {
		states += n
	}
	if status.Rows != len(w.rows) || sum != status.Rows || states != status.Outcomes[device.Accepted]+status.Outcomes[device.Updated] {
		t.Fatalf("%d rows sent: %+v", len(w.rows), status)
	}
	w.checkDevices(t)
}

func (w *model) checkDevices(t *rapid.T) {
	accepted := map[string]intake.Candidate{}
	for n, r := range w.answers {
		if r.Outcome != device.Accepted {
			continue
		}
		if other, twice := accepted[r.Device]; twice {
			t.Fatalf("rows %d and %d made one device", other.Row, n)
		}
		accepted[r.Device] = w.rows[n]
	}
	for a, one := range accepted {
		for b, other := range accepted {
			if relation, _ := device.Relate(one.Capture, other.Capture); a != b && relation != device.Unrelated {
				t.Fatalf("rows %d and %d were both accepted and are %s", one.Row, other.Row, relation)
			}
		}
	}
}
