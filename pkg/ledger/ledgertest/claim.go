package ledgertest

import (
	"slices"
	"sync"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

var claiming = map[string]func(*fixture){
	"Claim/Order":       claimOrder,
	"Claim/Overdue":     claimOverdue,
	"Claim/Stages":      claimStages,
	"Claim/Tenants":     claimTenants,
	"Claim/NeverShared": claimNeverShared,
	"Claim/Submissions": claimSubmissions,
	"Claim/KeepsMoves":  claimKeepsMoves,
}

func (b *fixture) claim(stage device.Stage, tenant device.TenantID, at, until time.Time, limit int) []string {
	b.Helper()
	claimed, err := b.ClaimDevices(
		b.Context(),
		stage,
		ledger.Claim{Tenant: tenant, Now: at, Until: until, Limit: limit},
	)
	b.must(err)
	var ids []string
	for _, d := range claimed {
		ids = append(ids, d.ID)
	}
	return ids
}

// dueAt takes in one device for each time.
func (b *fixture) dueAt(tenant device.TenantID, times ...time.Time) []string {
	b.Helper()
	batch := b.batch(tenant)
	var ids []string
	for i, due := range times {
		receipts, err := b.Accept(b.Context(), batch, []intake.Candidate{Candidate(i+1, i+1)}, ledger.Terms{Due: due})
		b.must(err)
		ids = append(ids, receipts[0].Device)
	}
	return ids
}

func claimOrder(b *fixture) {
	t0 := now()
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	ids := b.dueAt(contoso, at(30), at(10), at(20), at(40))
	limit := 7
	d := b.move(ids[1], device.Collected, func(m *ledger.Move) {
		m.Due = at(10)
		m.Set.ChunkLimit = &limit
	})
	b.same(len(b.claim(device.StageImport, contoso, at(9), at(99), 10)), 0)

	claimed, err := b.ClaimDevices(
		b.Context(),
		device.StageImport,
		ledger.Claim{Tenant: contoso, Now: at(30), Until: at(99), Limit: 2},
	)
	b.must(err)
	b.same(claimed, []ledger.DueDevice{{ID: ids[1], Batch: d.Batch, ChunkLimit: 7}, {ID: ids[2], Batch: d.Batch}})
	b.same(b.claim(device.StageImport, contoso, at(30), at(99), 10), []string{ids[0]})
	b.same(b.device(ids[0]).Due, at(99))
	b.same(b.device(ids[3]).Due, at(40))
}

func claimOverdue(b *fixture) {
	t0 := now()
	ids := b.dueAt(contoso, t0)
	soon := t0.Add(time.Minute)
	later := t0.Add(time.Hour)
	b.same(b.claim(device.StageImport, contoso, t0, soon, 10), ids)
	b.same(len(b.claim(device.StageImport, contoso, t0, soon, 10)), 0)
	b.same(b.claim(device.StageImport, contoso, soon, later, 10), ids) // nobody moved it
	b.move(ids[0], device.Submitting)
	b.same(len(b.claim(device.StageImport, contoso, later, later, 10)), 0)
}

func claimStages(b *fixture) {
	t0 := now()
	ids := b.dueAt(contoso, t0, t0, t0, t0, t0, t0)
	due := func(m *ledger.Move) { m.Due = t0 }
	for i, to := range []device.State{device.Registered, device.Tagged, device.Grouped, device.Ready, device.Submitted} {
		b.move(ids[i], to, due)
	}
	group := b.claim(device.StageGroup, contoso, t0, t0.Add(time.Hour), 10)
	slices.Sort(group)
	b.same(group, ids[:4])
	b.same(b.claim(device.StageImport, contoso, t0, t0.Add(time.Hour), 10), ids[5:])
	b.move(ids[0], device.Registered) // no due time: nothing to do
	b.same(len(b.claim(device.StageGroup, contoso, t0.Add(30*time.Minute), t0, 10)), 0)
}

func claimTenants(b *fixture) {
	t0 := now()
	mine := b.dueAt(contoso, t0)
	theirs := b.dueAt(fabrikam, t0)
	b.same(b.claim(device.StageImport, contoso, t0, t0.Add(time.Hour), 10), mine)
	b.same(b.claim(device.StageImport, fabrikam, t0, t0.Add(time.Hour), 10), theirs)
}

func claimNeverShared(b *fixture) {
	t0 := now()
	rows := make([]intake.Candidate, 400)
	for i := range rows {
		rows[i] = Candidate(i+1, i+1)
	}
	_, err := b.Accept(b.Context(), b.batch(contoso), rows, ledger.Terms{Due: t0})
	b.must(err)
	var mu sync.Mutex
	count := map[string]int{}
	together(8, func(int) {
		for {
			claimed, err := b.ClaimDevices(b.Context(), device.StageImport,
				ledger.Claim{Tenant: contoso, Now: t0, Until: t0.Add(time.Hour), Limit: 7})
			if err != nil {
				b.Error(err)
			}
			mu.Lock()
			for _, d := range claimed {
				count[d.ID]++
			}
			done := len(claimed) == 0
			mu.Unlock()
			if done {
				return
			}
		}
	})
	for id, n := range count {
		if n != 1 {
			b.Errorf("device %s claimed %d times", id, n)
		}
	}
	b.same(len(count), len(rows))
}

func claimSubmissions(b *fixture) {
	t0 := now()
	all := b.devices(3)
	var ids []string
	for i, d := range all {
		s := ledger.Submission{
			ID:       newID(),
			Tenant:   contoso,
			ImportID: newID(),
			Due:      t0.Add(time.Duration(3-i) * time.Second),
		}
		_, err := b.Begin(b.Context(), s, []ledger.Ref{{ID: d.ID, Version: 1}}, "test")
		b.must(err)
		ids = append(ids, s.ID)
	}
	claimIn := func(tenant device.TenantID, at time.Time, limit int, states ...ledger.SubmissionState) []string {
		claimed, err := b.ClaimSubmissions(
			b.Context(),
			ledger.Claim{Tenant: tenant, Now: at, Until: at.Add(time.Hour), Limit: limit},
			states...)
		b.must(err)
		return claimed
	}
	claim := func(tenant device.TenantID, at time.Time, limit int) []string {
		return claimIn(tenant, at, limit, ledger.SubmissionPosted, ledger.SubmissionOpen)
	}
	late := t0.Add(time.Minute)
	b.same(len(claim(contoso, t0, 10)), 0)
	b.same(len(claim(fabrikam, late, 10)), 0)
	b.same(claim(contoso, late, 2), []string{ids[2], ids[1]})
	b.same(claim(contoso, late, 2), []string{ids[0]})
	b.same(len(claim(contoso, late, 2)), 0)
	b.same(len(claim(contoso, late.Add(time.Hour), 9)), 3)

	// Only in the states asked for.
	complete := ledger.Submission{ID: ids[1], Tenant: contoso, Version: 1, State: ledger.SubmissionComplete, Due: late}
	applied, err := b.Advance(b.Context(), ledger.SubmissionChange{Submission: complete})
	b.must(err)
	b.same(applied, true)
	b.same(len(claim(contoso, late, 9)), 0)
	b.same(len(claimIn(contoso, late, 9)), 0)
	b.same(claimIn(contoso, late, 9, ledger.SubmissionComplete), []string{ids[1]})
}

func claimKeepsMoves(b *fixture) {
	// A claim is no change: a move that read the device before it still applies.
	t0 := now()
	id := b.dueAt(contoso, t0)[0]
	d := b.device(id)
	b.claim(device.StageImport, contoso, t0, t0.Add(time.Hour), 1)
	applied, err := b.Move(
		b.Context(),
		ledger.Move{Tenant: contoso, Device: id, Version: d.Version, To: device.Retired},
	)
	b.must(err)
	b.same(applied, []bool{true})
	b.same(b.device(id).Due, time.Time{})
}
