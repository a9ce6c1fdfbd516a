package ledgertest

import (
	"sync/atomic"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

var batches = map[string]func(*fixture){
	"Batch/IdempotencyKey": batchIdempotencyKey,
	"Batch/KeyAtOnce":      batchKeyAtOnce,
	"Batch/Close":          batchClose,
	"Batch/Status":         batchStatus,
	"Batch/Rows":           batchRows,
	"Batch/Unknown":        batchUnknown,
	"Batch/ByKey":          batchByKey,
}

func batchIdempotencyKey(b *fixture) {
	want := ledger.Batch{
		ID:             newID(),
		Tenant:         contoso,
		Source:         "oem",
		Name:           "may.csv",
		IdempotencyKey: "k1",
		Created:        now(),
	}
	stored, existed, err := b.OpenBatch(b.Context(), want)
	b.must(err)
	want.State = ledger.Receiving
	b.same(stored, want)
	b.same(existed, false)

	again, existed, err := b.OpenBatch(b.Context(), ledger.Batch{ID: newID(), Tenant: contoso, IdempotencyKey: "k1"})
	b.must(err)
	b.same(again, want)
	b.same(existed, true)

	same, existed, err := b.OpenBatch(b.Context(), ledger.Batch{ID: want.ID, Tenant: contoso})
	b.must(err)
	b.same(same, want)
	b.same(existed, true)

	_, existed, err = b.OpenBatch(b.Context(), ledger.Batch{ID: newID(), Tenant: fabrikam, IdempotencyKey: "k1"})
	b.must(err)
	b.same(existed, false) // another tenant's key is another key
	if one, other := b.batch(contoso), b.batch(contoso); one.ID == other.ID {
		b.Error("no key is no key in common")
	}
}

func batchKeyAtOnce(b *fixture) {
	var created atomic.Int32
	ids := make([]string, 16)
	together(len(ids), func(i int) {
		stored, existed, err := b.OpenBatch(
			b.Context(),
			ledger.Batch{ID: newID(), Tenant: contoso, IdempotencyKey: "once"},
		)
		if err != nil {
			b.Error(err)
		}
		if !existed {
			created.Add(1)
		}
		ids[i] = stored.ID
	})
	if created.Load() != 1 {
		b.Errorf("%d batches created", created.Load())
	}
	for _, id := range ids {
		b.same(id, ids[0])
	}
}

func batchClose(b *fixture) {
	batch := b.batch(contoso)
	b.must(b.CloseBatch(b.Context(), ledger.Batch{ID: batch.ID, Tenant: fabrikam, State: ledger.Complete}))
	status, err := b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	b.same(status.State, ledger.Receiving) // not theirs to close

	closed := ledger.Batch{
		ID: batch.ID, Tenant: contoso, State: ledger.Failed, Code: fault.FileRecordTooLong, Detail: "row 12",
		Digest: "0123abcd", Closed: now(),
	}
	b.must(b.CloseBatch(b.Context(), closed))
	b.must(b.CloseBatch(b.Context(), ledger.Batch{ID: batch.ID, Tenant: contoso, State: ledger.Complete}))
	status, err = b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	want := batch
	want.State = closed.State
	want.Code = closed.Code
	want.Detail = closed.Detail
	want.Digest = closed.Digest
	want.Closed = closed.Closed
	b.same(status.Batch, want)
}

// mixed takes in a batch with every outcome and moves some of its devices.
func (b *fixture) mixed() (ledger.Batch, []ledger.Receipt) {
	b.accept(b.batch(contoso), Candidate(1, 90), Candidate(2, 91))
	batch := b.batch(contoso)
	receipts := b.accept(batch,
		Candidate(1, 1), Candidate(2, 2), Candidate(3, 3), Rejected(4), Rejected(5), Candidate(6, 90), Candidate(7, 1),
		Identifiers(8, 92, 92, 91), Candidate(9, 4))
	other := Rejected(10)
	other.Reject.Code = "row.malformed"
	receipts = append(receipts, b.accept(batch, other)...)
	b.move(receipts[0].Device, device.Ready)
	wait := func(m *ledger.Move) { m.Code = fault.GroupMembershipPending }
	b.move(receipts[1].Device, device.Tagged, wait)
	b.move(receipts[2].Device, device.Tagged, wait)
	b.move(
		receipts[8].Device,
		device.Dead,
		func(m *ledger.Move) { m.Code = fault.AutopilotInvalidHash; m.Detail = "error 810" },
	)
	return batch, receipts
}

func batchStatus(b *fixture) {
	batch, _ := b.mixed()
	status, err := b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	b.same(status, ledger.BatchStatus{
		Batch: batch, Rows: 10,
		Outcomes: map[device.RowOutcome]int{
			device.Accepted:  4,
			device.Rejected:  3,
			device.Duplicate: 2,
			device.Conflict:  1,
		},
		States:    map[device.State]int{device.Ready: 1, device.Tagged: 2, device.Dead: 1},
		Conflicts: map[device.State]int{device.Held: 1},
		Reasons: []ledger.Reason{
			{State: device.Tagged, Code: fault.GroupMembershipPending, Count: 2},
			{State: device.Dead, Code: fault.AutopilotInvalidHash, Count: 1},
			{State: device.Held, Code: fault.DeviceConflictEK, Count: 1},
		},
		Rejects: []ledger.Reason{{Code: "hash.truncated", Count: 2}, {Code: "row.malformed", Count: 1}},
	})
	empty := b.batch(contoso)
	status, err = b.Batch(b.Context(), contoso, empty.ID)
	b.must(err)
	b.same(status.Rows, 0)
}

func batchRows(b *fixture) {
	batch, receipts := b.mixed()
	page := func(q ledger.RowQuery) []int {
		rows, err := b.Rows(b.Context(), contoso, batch.ID, q)
		b.must(err)
		var numbers []int
		for _, r := range rows {
			b.same(r.Receipt, receipts[r.Row-1])
			numbers = append(numbers, r.Row)
		}
		return numbers
	}
	b.same(page(ledger.RowQuery{}), []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
	b.same(page(ledger.RowQuery{Limit: 3}), []int{1, 2, 3})
	b.same(page(ledger.RowQuery{After: 3, Limit: 2}), []int{4, 5})
	b.same(page(ledger.RowQuery{Outcome: device.Rejected}), []int{4, 5, 10})
	b.same(page(ledger.RowQuery{Outcome: device.Rejected, After: 4, Limit: 1}), []int{5})
	b.same(page(ledger.RowQuery{Outcome: device.Conflict}), []int{8})
	b.same(page(ledger.RowQuery{After: 10}), []int(nil))

	rows, err := b.Rows(b.Context(), contoso, batch.ID, ledger.RowQuery{})
	b.must(err)
	b.same(rows[0].State, device.Ready)
	b.same(rows[6].State, device.Ready) // a duplicate shows its device
	b.same(rows[1].DeviceCode, fault.GroupMembershipPending)
	b.same(rows[8].Reason, "error 810")
	b.same(rows[3].State, device.State(""))
}

func batchUnknown(b *fixture) {
	for _, id := range []string{newID(), "", "'"} {
		_, err := b.Batch(b.Context(), contoso, id)
		b.mustFail(err, fault.RequestNotFound)
		_, err = b.Rows(b.Context(), contoso, id, ledger.RowQuery{})
		b.mustFail(err, fault.RequestNotFound)
	}
}

func batchByKey(b *fixture) {
	keyed := ledger.Batch{
		ID:             newID(),
		Tenant:         contoso,
		Source:         "oem",
		Name:           "4711",
		IdempotencyKey: "oem-a\t4711 ä",
		Created:        now(),
	}
	stored, _, err := b.OpenBatch(b.Context(), keyed)
	b.must(err)
	b.batch(contoso) // without a key
	b.accept(stored, Candidate(1, 1), Rejected(2))
	found, err := b.BatchByKey(b.Context(), contoso, keyed.IdempotencyKey)
	b.must(err)
	want, err := b.Batch(b.Context(), contoso, stored.ID)
	b.must(err)
	b.same(found, want)
	b.same(found.Rows, 2)
	for _, key := range []string{"", "4711", "oem-a\t4711 \u00c4"} {
		_, err = b.BatchByKey(b.Context(), contoso, key)
		b.mustFail(err, fault.RequestNotFound)
	}
	_, err = b.BatchByKey(b.Context(), fabrikam, keyed.IdempotencyKey)
	b.mustFail(err, fault.RequestNotFound)
}
