package ledgertest

import (
	"context"
	"errors"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

var rest = map[string]func(*fixture){
	"Capture/Erase": captureErase,
	"Audit":         auditEntries,
	"Health":        health,
	"Reopen":        reopen,
	"Cancel":        cancel,
	"Law":           law,
}

func captureErase(b *fixture) {
	all := b.devices(6)
	ids := []string{}
	for _, d := range all {
		ids = append(ids, d.ID)
	}
	for i, to := range []device.State{device.Ready, device.Retired, device.Ready, device.Dead, device.Registered} {
		b.move(ids[i], to)
	}
	kept := func() (n int) {
		captures, err := b.Captures(b.Context(), contoso, ids)
		b.must(err)
		return len(captures)
	}
	erase := func(before time.Time, limit int) int {
		n, err := b.EraseCaptures(b.Context(), before, limit)
		b.must(err)
		return n
	}
	later := now().Add(time.Hour)
	b.same(erase(now().Add(-time.Hour), 10), 0)
	b.same(erase(later, 2), 2)
	b.same(kept(), 4)
	b.same(erase(later, 10), 1)
	b.same(erase(later, 10), 0)
	b.same(kept(), 3)

	// A ready device that somebody sends again has a capture again, the same one or a newer one, until its check is
	// decided.
	b.accept(b.batch(contoso), Candidate(1, 1))
	b.same(kept(), 4)
	b.accept(b.batch(contoso), Recapture(Candidate(1, 1), 1))
	b.same(erase(later, 10), 0)
	b.move(ids[0], device.Ready)
	b.same(erase(later, 10), 1)
	// One that was getting ready while somebody sent it again loses it too.
	b.accept(b.batch(contoso), Recapture(Candidate(1, 6), 1))
	b.move(ids[5], device.Ready)
	b.same(erase(later, 10), 1)
	b.same(kept(), 2)
	// One that comes back from ready keeps what it has.
	b.accept(b.batch(contoso), Recapture(Candidate(1, 3), 1))
	b.move(ids[2], device.Registered)
	b.same(erase(later, 10), 0)
	b.same(kept(), 3)
}

func auditEntries(b *fixture) {
	t0 := now()
	want := []ledger.AuditEntry{}
	for i, action := range []string{"dead_letter.replay", "device.release", "device.retire"} {
		e := ledger.AuditEntry{
			At: t0.Add(time.Duration(i) * time.Second), Tenant: contoso, Actor: "ada", Action: action,
			Object: newID(), Reason: "board swapped", Outcome: "done",
		}
		b.must(b.Append(b.Context(), e))
		want = append([]ledger.AuditEntry{e}, want...)
	}
	b.must(b.Append(b.Context(), ledger.AuditEntry{Tenant: fabrikam, Actor: "bob", Action: "x"}))
	got, err := b.Entries(b.Context(), contoso, 2)
	b.must(err)
	b.same(got, want[:2])
	got, err = b.Entries(b.Context(), contoso, 10)
	b.must(err)
	b.same(got, want)
	got, err = b.Entries(b.Context(), fabrikam, 10)
	b.must(err)
	if len(got) != 1 || got[0].At.Before(t0) {
		b.Errorf("%+v", got)
	}
}

func health(b *fixture) {
	b.must(b.Health(b.Context()))
	b.must(b.Health(b.Context()))
	b.must(b.Close())
	b.mustFail(b.Health(b.Context()), fault.LedgerUnavailable)
	_, err := b.Batch(b.Context(), contoso, newID())
	b.mustFail(err, fault.LedgerUnavailable)
}

func reopen(b *fixture) {
	batch, receipts := b.mixed()
	before, err := b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	d := b.device(receipts[0].Device)
	b.must(b.Close())
	b.Ledger = b.open(b.T)
	after, err := b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	b.same(after, before)
	b.same(b.device(d.ID), d)
	captures, err := b.Captures(b.Context(), contoso, []string{d.ID})
	b.must(err)
	b.same(captures, map[string][]byte{d.ID: Candidate(1, 1).Canonical})
	b.same(b.accept(batch, Candidate(1, 1))[0], receipts[0])
}

func cancel(b *fixture) {
	ctx, stop := context.WithCancel(b.Context())
	batch := b.batch(contoso)
	stop()
	if _, err := b.Accept(ctx, batch, []intake.Candidate{Candidate(1, 1)}, ledger.Terms{Due: now()}); !errors.Is(err, context.Canceled) {
		b.Errorf("Accept: %v", err)
	}
	if _, err := b.Batch(ctx, contoso, batch.ID); !errors.Is(err, context.Canceled) {
		b.Errorf("Batch: %v", err)
	}
	status, err := b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	b.same(status.Rows, 0)
}
