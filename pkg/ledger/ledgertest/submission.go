package ledgertest

import (
	"sync"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

var submitting = map[string]func(*fixture){
	"Submission/Begin":        beginStores,
	"Submission/BeginPartly":  beginPartly,
	"Submission/BeginNothing": beginNothing,
	"Submission/BeginAtOnce":  beginAtOnce,
	"Submission/Advance":      advanceSteps,
	"Submission/AdvanceStale": advanceStale,
	"Submission/AdvanceOnce":  advanceOnce,
	"Submission/Unknown":      submissionUnknown,
}

func refs(all []device.Device) []ledger.Ref {
	var list []ledger.Ref
	for _, d := range all {
		list = append(list, ledger.Ref{ID: d.ID, Version: d.Version})
	}
	return list
}

// begun begins a submission of n fresh devices.
func (b *fixture) begun(n int) (ledger.Submission, []device.Device) {
	b.Helper()
	s := ledger.Submission{ID: newID(), Tenant: contoso, ImportID: newID(), Due: now().Add(time.Minute)}
	won, err := b.Begin(b.Context(), s, refs(b.devices(n)), "importer")
	b.must(err)
	b.same(len(won), n)
	return b.submission(s.ID), won
}

func (b *fixture) submission(id string) ledger.Submission {
	b.Helper()
	s, err := b.Submission(b.Context(), contoso, id)
	b.must(err)
	return s
}

func beginStores(b *fixture) {
	before := now()
	s, won := b.begun(3)
	if s.Created.Before(before) || s.State != ledger.SubmissionOpen || s.Version != 1 || s.ImportID == "" {
		b.Errorf("%+v", s)
	}
	for i, d := range won {
		b.same(s.Items[i], ledger.Item{Device: d.ID})
		b.same(b.device(d.ID), d)
		if d.State != device.Submitting || d.Submission != s.ID || d.Version != 2 || !d.Due.IsZero() {
			b.Errorf("%+v", d)
		}
		steps, err := b.Timeline(b.Context(), contoso, d.ID)
		b.must(err)
		b.same(
			steps[1],
			ledger.Transition{At: d.Updated, From: device.Collected, To: device.Submitting, By: "importer"},
		)
	}
}

func beginPartly(b *fixture) {
	all := b.devices(4)
	list := refs(all)
	list[0].Version = b.move(all[0].ID, device.Held).Version
	list[1].Version = 7
	list = append(list, ledger.Ref{ID: newID(), Version: 1}, list[3])
	s := ledger.Submission{ID: newID(), Tenant: contoso, ImportID: newID(), Due: now()}
	won, err := b.Begin(b.Context(), s, list, "importer")
	b.must(err)
	b.same(len(won), 2)
	b.same(b.submission(s.ID).Items, []ledger.Item{{Device: all[2].ID}, {Device: all[3].ID}})
	b.same(b.device(all[1].ID).State, device.Collected)
}

func beginNothing(b *fixture) {
	s := ledger.Submission{ID: newID(), Tenant: contoso, ImportID: newID(), Due: now()}
	won, err := b.Begin(b.Context(), s, []ledger.Ref{{ID: newID(), Version: 1}}, "importer")
	b.must(err)
	b.same(len(won), 0)
	_, err = b.Submission(b.Context(), contoso, s.ID)
	b.mustFail(err, fault.RequestNotFound)
}

func beginAtOnce(b *fixture) {
	all := b.devices(30)
	var mu sync.Mutex
	owners := map[string]string{}
	together(10, func(i int) {
		list := refs(all[i : i+20]) // overlapping
		if i%2 == 1 {
			for l, r := 0, len(list)-1; l < r; l, r = l+1, r-1 {
				list[l], list[r] = list[r], list[l]
			}
		}
		s := ledger.Submission{ID: newID(), Tenant: contoso, ImportID: newID(), Due: now()}
		won, err := b.Begin(b.Context(), s, list, "importer")
		if err != nil {
			b.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, d := range won {
			if other, taken := owners[d.ID]; taken {
				b.Errorf("device %s in %s and %s", d.ID, other, s.ID)
			}
			owners[d.ID] = s.ID
		}
	})
	for id, owner := range owners {
		b.same(b.device(id).Submission, owner)
	}
	if len(owners) < 20 {
		b.Errorf("only %d devices won", len(owners))
	}
}

func advanceSteps(b *fixture) {
	s, won := b.begun(2)
	posted := s
	posted.State = ledger.SubmissionPosted
	posted.Polls = 1
	posted.Due = now().Add(time.Hour)
	posted.Posted = now()
	posted.Code = fault.AutopilotPending
	items := []ledger.Item{{Device: won[1].ID, RecordID: "r2"}, {Device: newID(), RecordID: "not in it"}}
	moves := []ledger.Move{
		{Tenant: contoso, Device: won[0].ID, Version: 2, To: device.Submitted, By: "importer"},
		{Tenant: contoso, Device: won[1].ID, Version: 1, To: device.Submitted, By: "importer"}, // stale
	}
	applied, err := b.Advance(b.Context(), ledger.SubmissionChange{Submission: posted, Items: items, Moves: moves})
	b.must(err)
	b.same(applied, true)
	got := b.submission(s.ID)
	posted.Version = 2
	posted.Items = []ledger.Item{{Device: won[0].ID}, {Device: won[1].ID, RecordID: "r2"}}
	b.same(got, posted)
	b.same(b.device(won[0].ID).State, device.Submitted)
	b.same(b.device(won[1].ID).State, device.Submitting)

	closed := got
	closed.State = ledger.SubmissionClosed
	closed.Due = time.Time{}
	applied, err = b.Advance(b.Context(), ledger.SubmissionChange{
		Submission: closed, Items: []ledger.Item{{Device: won[1].ID, RecordID: "r2", Deleted: true}},
	})
	b.must(err)
	b.same(applied, true)
	got = b.submission(s.ID)
	b.same(got.Items[1], ledger.Item{Device: won[1].ID, RecordID: "r2", Deleted: true})
	b.same(got.State, ledger.SubmissionClosed)
}

func advanceStale(b *fixture) {
	s, won := b.begun(1)
	change := ledger.SubmissionChange{
		Submission: s,
		Items:      []ledger.Item{{Device: won[0].ID, RecordID: "r"}},
		Moves:      []ledger.Move{{Tenant: contoso, Device: won[0].ID, Version: 2, To: device.Submitted}},
	}
	change.Submission.Version = 9
	change.Submission.State = ledger.SubmissionClosed
	applied, err := b.Advance(b.Context(), change)
	b.must(err)
	b.same(applied, false)
	for _, tenant := range []device.TenantID{"adatum", fabrikam} {
		change.Submission.Version = 1
		change.Submission.Tenant = tenant
		applied, err = b.Advance(b.Context(), change)
		b.must(err)
		b.same(applied, false)
	}
	b.same(b.submission(s.ID), s)
	b.same(b.device(won[0].ID), won[0])
}

func advanceOnce(b *fixture) {
	s, won := b.begun(1)
	applied := make([]bool, 20)
	together(len(applied), func(i int) {
		change := ledger.SubmissionChange{Submission: s, Moves: []ledger.Move{
			{Tenant: contoso, Device: won[0].ID, Version: 2, To: device.Submitted, Attempts: i},
		}}
		change.Submission.State = ledger.SubmissionPosted
		change.Submission.Polls = i
		var err error
		if applied[i], err = b.Advance(b.Context(), change); err != nil {
			b.Error(err)
		}
	})
	winners := 0
	for i, ok := range applied {
		if ok {
			winners++
			b.same(b.submission(s.ID).Polls, i)
			b.same(b.device(won[0].ID).Attempts, i) // both sides are the winner's
		}
	}
	b.same(winners, 1)
}

func submissionUnknown(b *fixture) {
	s, _ := b.begun(1)
	_, err := b.Submission(b.Context(), fabrikam, s.ID)
	b.mustFail(err, fault.RequestNotFound)
	_, err = b.Submission(b.Context(), contoso, newID())
	b.mustFail(err, fault.RequestNotFound)
}
