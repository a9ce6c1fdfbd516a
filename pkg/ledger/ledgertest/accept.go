package ledgertest

import (
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

var accepting = map[string]func(*fixture){
	"Accept/NewDevice":         acceptNewDevice,
	"Accept/Duplicates":        acceptDuplicates,
	"Accept/DuplicatesInACall": acceptDuplicatesInACall,
	"Accept/NewerCapture":      acceptNewerCapture,
	"Accept/BetterEvidence":    acceptBetterIdentifiers,
	"Accept/RowsOnce":          acceptRowsOnce,
	"Accept/OtherRows":         acceptOtherRows,
	"Accept/Forged":            acceptForged,
	"Accept/Components":        acceptComponents,
	"Accept/Rejects":           acceptRejects,
	"Accept/ClosedBatch":       acceptClosedBatch,
	"Accept/ManyRows":          acceptManyRows,
	"Accept/OddText":           acceptOddText,
	"Accept/OneDeviceAtOnce":   acceptOneDeviceAtOnce,
	"Accept/OneSerialAtOnce":   acceptOneSerialAtOnce,
	"Accept/Tenants":           acceptTenants,
}

func acceptNewDevice(b *fixture) {
	batch := b.batch(contoso)
	due := now().Add(time.Minute)
	before := now()
	c := Candidate(7, 1)
	receipts, err := b.Accept(b.Context(), batch, []intake.Candidate{c}, ledger.Terms{Due: due})
	b.must(err)
	id := receipts[0].Device
	b.same(receipts, []ledger.Receipt{{Row: 7, Outcome: device.Accepted, Device: id, Warnings: c.Warnings}})

	d := b.device(id)
	if d.Created.Before(before) || d.Created.After(now()) || !d.Updated.Equal(d.Created) {
		b.Errorf("created %v, updated %v, accepted at %v", d.Created, d.Updated, before)
	}
	b.same(d, device.Device{
		Known:  device.Known{ID: id, Key: c.Key, Kind: device.KeyTPMEK, Capture: c.Capture, State: device.Collected},
		Tenant: contoso, ProductKeyID: c.ProductKeyID,
		GroupTag: "Kiosk", User: "ada@contoso.example", Source: "oem", Batch: batch.ID, Row: 7, Facts: c.Facts,
		Version: 1, Due: due, Created: d.Created, Updated: d.Updated,
	})
	captures, err := b.Captures(b.Context(), contoso, []string{id, newID()})
	b.must(err)
	b.same(captures, map[string][]byte{id: c.Canonical})
	steps, err := b.Timeline(b.Context(), contoso, id)
	b.must(err)
	b.same(steps, []ledger.Transition{{At: d.Created, To: device.Collected, By: "collector"}})
	found, err := b.BySerial(b.Context(), contoso, device.NewSerial(" sN-00001x"))
	b.must(err)
	b.same(found, []device.Device{d})
}

// A delivery that goes on is the same delivery: a row that is another one now stops it, and nothing beside it is taken.
func acceptOtherRows(b *fixture) {
	batch := b.batch(contoso)
	sent := func(row, n int, digest string) intake.Candidate {
		c := Candidate(row, n)
		c.Digest = digest
		return c
	}
	rejected := Rejected(3)
	rejected.Digest = "c"
	first := b.accept(batch, sent(1, 1, "a"), sent(2, 2, ""), rejected)
	again := b.accept(batch, sent(1, 1, "a"), sent(2, 2, "b"), rejected)
	b.same(again, first)
	other := rejected
	other.Digest = "d"
	for name, rows := range map[string][]intake.Candidate{
		"accepted": {sent(4, 4, "e"), sent(1, 5, "x")}, "rejected": {sent(4, 4, "e"), other},
	} {
		_, err := b.Accept(b.Context(), batch, rows, ledger.Terms{Due: now()})
		if !fault.Is(err, fault.RequestConflict) {
			b.Errorf("%s: %v", name, err)
		}
	}
	status, err := b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	if status.Rows != 3 {
		b.Errorf("%d rows", status.Rows)
	}
}

func acceptDuplicates(b *fixture) {
	first := b.accept(b.batch(contoso), Candidate(1, 1), Candidate(2, 2))
	second := b.accept(b.batch(contoso), Candidate(1, 2), Candidate(2, 1), Candidate(3, 3))
	b.same(outcomes(second), map[device.RowOutcome]int{device.Duplicate: 2, device.Accepted: 1})
	for i, known := range []string{first[1].Device, first[0].Device} {
		if second[i].Device != known || second[i].Code != fault.DeviceDuplicate {
			b.Errorf("row %d: %+v, want a duplicate of %s", i+1, second[i], known)
		}
	}
}

func acceptDuplicatesInACall(b *fixture) {
	batch := b.batch(contoso)
	receipts := b.accept(batch, Candidate(1, 1), Candidate(2, 1), Candidate(3, 2))
	receipts = append(receipts, b.accept(batch, Candidate(4, 1))...)
	for _, i := range []int{1, 3} {
		r := receipts[i]
		if r.Outcome != device.Duplicate || r.Code != fault.RowDuplicateInFile || r.Device != receipts[0].Device {
			b.Errorf("row %d: %+v", r.Row, r)
		}
	}
	b.same(outcomes(receipts), map[device.RowOutcome]int{device.Duplicate: 2, device.Accepted: 2})
}

func acceptNewerCapture(b *fixture) {
	first := Recapture(Candidate(1, 1), 5)
	batch := b.batch(contoso)
	id := b.accept(batch, first)[0].Device
	before := b.device(id)
	check := func(what string, want intake.Candidate) {
		b.Helper()
		d := b.device(id)
		captures, err := b.Captures(b.Context(), contoso, []string{id})
		b.must(err)
		b.same(captures, map[string][]byte{id: want.Canonical})
		if !d.CapturedAt.Equal(want.Capture.CapturedAt) || d.Version != before.Version || d.State != before.State {
			b.Errorf("%s: captured %v, version %d, state %s", what, d.CapturedAt, d.Version, d.State)
		}
	}
	older := Candidate(1, 1)
	older.Capture.Product = "Book 2"
	b.accept(b.batch(contoso), older)
	check("older", first)

	newer := Recapture(Candidate(2, 1), 9)
	newer.Capture.Product = "Book 4"
	newer.Facts.VirtualMachine = true
	b.accept(batch, newer, Recapture(Candidate(3, 1), 7))
	check("newer, then one between", newer)
	if d := b.device(id); d.Product != "Book 4" || !d.Facts.VirtualMachine || d.Row != 1 {
		b.Errorf("%q, %+v, row %d", d.Product, d.Facts, d.Row)
	}

	both := b.accept(batch, Candidate(4, 2), Recapture(Candidate(5, 2), 3))
	captures, err := b.Captures(b.Context(), contoso, []string{both[0].Device})
	b.must(err)
	b.same(string(captures[both[0].Device]), string(Recapture(Candidate(5, 2), 3).Canonical))
}

func acceptBetterIdentifiers(b *fixture) {
	// Captured first without the TPM, then with it, then without it again: one device, known by the best of it.
	without := b.accept(b.batch(contoso), Identifiers(1, 0, 1, 1))[0]
	with := Recapture(Identifiers(1, 1, 1, 1), 1)
	again := Recapture(Identifiers(2, 0, 1, 1), 2)
	receipts := b.accept(b.batch(contoso), with, again)
	b.same(outcomes(receipts), map[device.RowOutcome]int{device.Updated: 1, device.Duplicate: 1})
	d := b.device(without.Device)
	if receipts[0].Device != d.ID || receipts[1].Device != d.ID || d.Key != with.Key || d.Kind != device.KeyTPMEK {
		b.Errorf("%+v, key %s (%s), want %s", receipts, d.Key, d.Kind, with.Key)
	}
	// Its TPM key is not forgotten: another serial with it is a conflict.
	b.conflict(Identifiers(1, 1, 2, 2), fault.DeviceConflictSerial)

	// An older capture is not kept, but the TPM key that only it has is.
	late := Recapture(Identifiers(1, 0, 5, 5), 3)
	id := b.accept(b.batch(contoso), late)[0].Device
	b.accept(b.batch(contoso), Identifiers(1, 5, 5, 5))
	captures, err := b.Captures(b.Context(), contoso, []string{id})
	b.must(err)
	b.same(captures, map[string][]byte{id: late.Canonical})
	b.conflict(Identifiers(1, 5, 6, 6), fault.DeviceConflictSerial)
}

// conflict takes in a row that must be a conflict.
func (b *fixture) conflict(c intake.Candidate, code fault.Code) {
	b.Helper()
	if r := b.accept(b.batch(contoso), c)[0]; r.Outcome != device.Conflict || r.Code != code {
		b.Errorf("%+v, want a conflict %s", r, code)
	}
}

func acceptRowsOnce(b *fixture) {
	batch := b.batch(contoso)
	b.accept(b.batch(contoso), Candidate(1, 9))
	rows := []intake.Candidate{
		Candidate(1, 1), Rejected(2), Candidate(3, 1), Candidate(4, 9), Identifiers(5, 5, 5, 1), Candidate(6, 6),
	}
	first := b.accept(batch, rows[:4]...)
	all := b.accept(batch, rows...)
	b.same(all[:4], first)
	b.must(b.CloseBatch(b.Context(), ledger.Batch{ID: batch.ID, Tenant: contoso, State: ledger.Complete}))
	b.same(b.accept(batch, rows...), all)
	b.same(b.accept(batch, rows[5], rows[0], rows[0]), []ledger.Receipt{all[5], all[0], all[0]})

	twice := b.accept(b.batch(contoso), Candidate(1, 7), Candidate(1, 7))
	b.same(twice[1], twice[0])
	status, err := b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	if status.Rows != len(rows) {
		b.Errorf("%d rows, want %d", status.Rows, len(rows))
	}
}

func acceptRejects(b *fixture) {
	batch := b.batch(contoso)
	c := Rejected(3)
	c.Warnings = []string{"row.extra_columns", "row.trimmed"}
	want := []ledger.Receipt{{
		Row: 3, Outcome: device.Rejected, Code: c.Reject.Code, Column: c.Reject.Column, Detail: c.Reject.Detail,
		Warnings: c.Warnings,
	}}
	b.same(b.accept(batch, c), want)
	rows, err := b.Rows(b.Context(), contoso, batch.ID, ledger.RowQuery{})
	b.must(err)
	b.same(rows, []ledger.RowStatus{{Receipt: want[0]}})
}

func acceptClosedBatch(b *fixture) {
	batch := b.batch(contoso)
	b.must(b.CloseBatch(b.Context(), ledger.Batch{ID: batch.ID, Tenant: contoso, State: ledger.Complete}))
	_, err := b.Accept(b.Context(), batch, []intake.Candidate{Candidate(1, 1)}, ledger.Terms{Due: now()})
	b.mustFail(err, fault.RequestInvalid)
	_, err = b.Accept(
		b.Context(),
		ledger.Batch{ID: newID(), Tenant: contoso},
		[]intake.Candidate{Candidate(1, 1)}, ledger.Terms{Due: now()})

	b.mustFail(err, fault.RequestNotFound)
	_, err = b.Accept(
		b.Context(),
		ledger.Batch{ID: batch.ID, Tenant: fabrikam},
		[]intake.Candidate{Candidate(1, 1)}, ledger.Terms{Due: now()})

	b.mustFail(err, fault.RequestNotFound)
	if found, err := b.BySerial(b.Context(), contoso, Serial(1)); err != nil || len(found) > 0 {
		b.Errorf("a refused row left %d devices (%v)", len(found), err)
	}
}

func acceptManyRows(b *fixture) {
	const n = 1300 // more than one portion of every bulk statement
	rows := make([]intake.Candidate, n)
	for i := range rows {
		rows[i] = Candidate(i+1, i+1)
	}
	batch := b.batch(contoso)
	receipts := b.accept(batch, rows...)
	b.same(outcomes(receipts), map[device.RowOutcome]int{device.Accepted: n})
	for i := range rows {
		rows[i] = Recapture(rows[i], 1)
	}
	b.same(outcomes(b.accept(b.batch(contoso), rows...)), map[device.RowOutcome]int{device.Duplicate: n})
	for _, i := range []int{0, n / 2, n - 1} {
		if d := b.device(receipts[i].Device); d.Row != i+1 || d.Serial != Serial(i+1) ||
			!d.CapturedAt.Equal(rows[i].Capture.CapturedAt) {
			b.Errorf("row %d: %+v", i+1, d)
		}
	}
}

func acceptOddText(b *fixture) {
	c := Candidate(1, 1)
	c.GroupTag = "a'b\"c\\d"
	c.User = "n\x00ul \xff\xfe ü 漢"
	c.Capture.Serial = device.NewSerial("S\x00N \xff 'x")
	c = sealed(c, "\x00\x01\xff")
	d := b.device(b.accept(b.batch(contoso), c)[0].Device)
	if d.GroupTag != c.GroupTag {
		b.Errorf("tag %q", d.GroupTag)
	}
	if again := b.accept(b.batch(contoso), c)[0]; again.Device != d.ID {
		b.Errorf("not recognised: %+v", again)
	}
	found, err := b.BySerial(b.Context(), contoso, c.Capture.Serial)
	b.must(err)
	if len(found) != 1 {
		b.Errorf("%d found by serial", len(found))
	}
	captures, err := b.Captures(b.Context(), contoso, []string{d.ID})
	b.must(err)
	b.same(captures, map[string][]byte{d.ID: c.Canonical})
}

// atOnce takes one row in through n batches at the same time.
func (b *fixture) atOnce(n int, row func(i int) intake.Candidate) []ledger.Receipt {
	receipts := make([]ledger.Receipt, n)
	batches := make([]ledger.Batch, n)
	for i := range batches {
		batches[i] = b.batch(contoso)
	}
	together(n, func(i int) {
		got, err := b.Accept(b.Context(), batches[i], []intake.Candidate{row(i)}, ledger.Terms{Due: now()})
		if err != nil {
			b.Error(err)
			return
		}
		receipts[i] = got[0]
	})
	return receipts
}

func acceptOneDeviceAtOnce(b *fixture) {
	receipts := b.atOnce(24, func(i int) intake.Candidate { return Recapture(Candidate(1, 1), i) })
	b.same(outcomes(receipts), map[device.RowOutcome]int{device.Accepted: 1, device.Duplicate: 23})
	for _, r := range receipts {
		if r.Device != receipts[0].Device {
			b.Fatalf("two devices: %v", receipts)
		}
	}
	if d := b.device(receipts[0].Device); !d.CapturedAt.Equal(captured.Add(23 * time.Hour)) {
		b.Errorf("captured %v is not the latest", d.CapturedAt)
	}
}

func acceptOneSerialAtOnce(b *fixture) {
	receipts := b.atOnce(12, func(i int) intake.Candidate { return Identifiers(1, 0, i+1, 1) })
	b.same(outcomes(receipts), map[device.RowOutcome]int{device.Accepted: 1, device.Conflict: 11})
}

func acceptTenants(b *fixture) {
	mine := b.batch(contoso)
	theirs := b.batch(fabrikam)
	a := b.accept(mine, Candidate(1, 1))[0]
	other := b.accept(theirs, Candidate(1, 1))[0]
	if other.Outcome != device.Accepted || other.Device == a.Device {
		b.Errorf("%+v", other)
	}
	b.accept(theirs, Candidate(2, 2))
	if r := b.accept(mine, Candidate(2, 2))[0]; r.Outcome != device.Accepted {
		b.Errorf("%+v", r)
	}
	ctx := b.Context()
	if found, err := b.Devices(ctx, contoso, []string{a.Device, other.Device}); err != nil || len(found) != 1 {
		b.Errorf("%d devices, %v", len(found), err)
	}
	if found, err := b.BySerial(ctx, contoso, Serial(1)); err != nil || len(found) != 1 {
		b.Errorf("%d by serial, %v", len(found), err)
	}
	if found, err := b.Captures(ctx, contoso, []string{other.Device}); err != nil || len(found) != 0 {
		b.Errorf("%d captures, %v", len(found), err)
	}
	if found, err := b.Timeline(ctx, contoso, other.Device); err != nil || len(found) != 0 {
		b.Errorf("%d transitions, %v", len(found), err)
	}
	_, err := b.Batch(ctx, contoso, theirs.ID)
	b.mustFail(err, fault.RequestNotFound)
	_, err = b.Rows(ctx, contoso, theirs.ID, ledger.RowQuery{})
	b.mustFail(err, fault.RequestNotFound)
	applied, err := b.Move(ctx, ledger.Move{Tenant: contoso, Device: other.Device, Version: 1, To: device.Ready})
	b.must(err)
	b.same(applied, []bool{false})
	won, err := b.Begin(
		ctx,
		ledger.Submission{ID: newID(), Tenant: contoso, ImportID: newID()},
		[]ledger.Ref{{ID: other.Device, Version: 1}},
		"test",
	)
	b.must(err)
	b.same(len(won), 0)
	tenants, err := b.Tenants(ctx)
	b.must(err)
	b.same(tenants, []device.TenantID{contoso, fabrikam})
}
