package ledgertest

import (
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

var deadLetters = map[string]func(*fixture){
	"DeadLetter/Revive":            deadLetterRevive,
	"DeadLetter/ReviveGoesBack":    deadLetterReviveGoesBack,
	"DeadLetter/ReviveRefused":     deadLetterReviveRefused,
	"DeadLetter/ReviveOnce":        deadLetterReviveOnce,
	"DeadLetter/RecordOnce":        deadLetterRecordOnce,
	"DeadLetter/RecordAgainClosed": deadLetterRecordAgainClosed,
	"DeadLetter/Query":             deadLetterQuery,
	"DeadLetter/Close":             deadLetterClose,
}

// die lets a device die in a state and returns its open dead letter.
func (b *fixture) die(id string, from device.State, code fault.Code) ledger.DeadLetter {
	b.Helper()
	b.move(id, from)
	b.move(id, device.Dead, func(m *ledger.Move) {
		m.Code = code
		m.Attempts = 4
	})
	found, err := b.DeadLetters(b.Context(), ledger.DeadLetterQuery{Tenant: contoso})
	b.must(err)
	for _, l := range found {
		if l.Device == id {
			return l
		}
	}
	b.Fatalf("no dead letter of %s", id)
	return ledger.DeadLetter{}
}

func deadLetterRevive(b *fixture) {
	d := b.devices(1)[0]
	for round := range 3 {
		l := b.die(d.ID, device.Tagged, fault.GroupNone)
		b.same(l.Replays, round)
		due := now().Add(time.Minute)
		dead := b.device(d.ID)
		got, err := b.Revive(b.Context(), l.ID, due, "operator:ada")
		b.must(err)
		b.same(b.device(d.ID), got)
		if got.State != device.Tagged || got.Attempts != 0 || got.Code != "" || !got.Due.Equal(due) ||
			got.Version != dead.Version+1 {
			b.Errorf("%+v", got)
		}
		replayed, err := b.DeadLetters(
			b.Context(),
			ledger.DeadLetterQuery{Tenant: contoso, State: ledger.DeadLetterReplayed, IDs: []string{l.ID}},
		)
		b.must(err)
		l.State = ledger.DeadLetterReplayed
		l.Closed = got.Updated
		l.ClosedBy = "operator:ada"
		b.same(replayed, []ledger.DeadLetter{l})
		steps, err := b.Timeline(b.Context(), contoso, d.ID)
		b.must(err)
		last := steps[len(steps)-1]
		b.same(last, ledger.Transition{At: got.Updated, From: device.Dead, To: device.Tagged, By: "operator:ada"})
	}
}

func deadLetterReviveGoesBack(b *fixture) {
	cases := []struct {
		from device.State
		code fault.Code
		to   device.State
	}{
		{device.Collected, fault.AutopilotUnknown, device.Collected},
		{device.Submitting, fault.AutopilotUnknown, device.Collected},
		{device.Submitted, fault.AutopilotUnknown, device.Collected},
		{device.Registered, fault.GroupNone, device.Registered},
		{device.Grouped, fault.AutopilotUnknown, device.Grouped},
		{device.Registered, fault.AutopilotNotRegistered, device.Collected},
		{device.Grouped, fault.AutopilotNotRegistered, device.Collected},
	}
	for i, d := range b.devices(len(cases)) {
		got, err := b.Revive(b.Context(), b.die(d.ID, cases[i].from, cases[i].code).ID, now(), "x")
		b.must(err)
		b.same(got.State, cases[i].to)
	}
}

func deadLetterReviveRefused(b *fixture) {
	d := b.devices(1)[0]
	l := b.die(d.ID, device.Registered, fault.GroupNone)
	b.must(
		b.RecordDeadLetter(
			b.Context(),
			ledger.DeadLetter{Tenant: contoso, Message: "m", Subscription: "importer", Code: fault.MessageMalformed},
		),
	)
	all, err := b.DeadLetters(b.Context(), ledger.DeadLetterQuery{Tenant: contoso, Code: fault.MessageMalformed})
	b.must(err)
	_, err = b.Revive(b.Context(), all[0].ID, now(), "x")
	b.mustFail(err, fault.DeviceNotReplayable)
	_, err = b.Revive(b.Context(), newID(), now(), "x")
	b.mustFail(err, fault.RequestNotFound)
	b.move(d.ID, device.Retired)
	_, err = b.Revive(b.Context(), l.ID, now(), "x")
	b.mustFail(err, fault.DeviceNotReplayable)
	b.same(b.device(d.ID).State, device.Retired)
}

func deadLetterReviveOnce(b *fixture) {
	l := b.die(b.devices(1)[0].ID, device.Registered, fault.GroupNone)
	errs := make([]error, 10)
	together(len(errs), func(i int) { _, errs[i] = b.Revive(b.Context(), l.ID, now(), "x") })
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		b.mustFail(err, fault.DeviceNotReplayable)
	}
	b.same(won, 1)
}

func message(id string) ledger.DeadLetter {
	return ledger.DeadLetter{
		Tenant: contoso, Message: id, Subscription: "importer", Type: "devices.collected.v1", Code: fault.MessageExhausted,
		Detail: "tried 5 times", Attempts: 5, Replays: 2, At: now(),
	}
}

func deadLetterRecordOnce(b *fixture) {
	want := message("m1")
	b.must(b.RecordDeadLetter(b.Context(), want))
	again := want
	again.Code = fault.MessageMalformed
	again.Attempts = 6
	again.At = want.At.Add(time.Second)
	b.must(b.RecordDeadLetter(b.Context(), again))
	other := message("m1")
	other.Subscription = "grouper"
	b.must(b.RecordDeadLetter(b.Context(), other))
	found, err := b.DeadLetters(b.Context(), ledger.DeadLetterQuery{Tenant: contoso})
	b.must(err)
	b.same(len(found), 2)
	again.ID = found[0].ID
	again.State = ledger.DeadLetterOpen
	b.same(found[0], again)
	for range 2 { // dead letters of no message are never the same
		b.must(b.RecordDeadLetter(b.Context(), ledger.DeadLetter{Tenant: fabrikam, Code: fault.InternalPanic}))
	}
	found, err = b.DeadLetters(b.Context(), ledger.DeadLetterQuery{Tenant: fabrikam})
	b.must(err)
	b.same(len(found), 2)
}

func deadLetterRecordAgainClosed(b *fixture) {
	b.must(b.RecordDeadLetter(b.Context(), message("m1")))
	l := b.open1()
	b.must(b.CloseDeadLetter(b.Context(), l.ID, "operator:ada", now()))
	b.must(b.RecordDeadLetter(b.Context(), message("m1")))
	again := b.open1()
	if again.ID != l.ID || again.Replays != l.Replays+1 || !again.Closed.IsZero() || again.ClosedBy != "" {
		b.Errorf("%+v", again)
	}
}

// open1 returns the only open dead letter of contoso.
func (b *fixture) open1() ledger.DeadLetter {
	b.Helper()
	found, err := b.DeadLetters(b.Context(), ledger.DeadLetterQuery{Tenant: contoso})
	b.must(err)
	if len(found) != 1 {
		b.Fatalf("%d open dead letters", len(found))
	}
	return found[0]
}

func deadLetterQuery(b *fixture) {
	for _, id := range []string{"m1", "m2", "m3", "m4"} {
		l := message(id)
		if id == "m3" {
			l.Code = fault.MessageMalformed
		}
		if id == "m4" {
			l.Tenant = ""
		}
		b.must(b.RecordDeadLetter(b.Context(), l))
	}
	query := func(q ledger.DeadLetterQuery) (ids, messages []string) {
		found, err := b.DeadLetters(b.Context(), q)
		b.must(err)
		for _, l := range found {
			ids = append(ids, l.ID)
			messages = append(messages, l.Message)
		}
		return ids, messages
	}
	check := func(q ledger.DeadLetterQuery, want ...string) {
		b.Helper()
		_, got := query(q)
		b.same(got, want)
	}
	ids, _ := query(ledger.DeadLetterQuery{All: true})
	check(ledger.DeadLetterQuery{All: true}, "m1", "m2", "m3", "m4")
	check(ledger.DeadLetterQuery{Tenant: contoso}, "m1", "m2", "m3")
	check(ledger.DeadLetterQuery{}, "m4")
	check(ledger.DeadLetterQuery{Tenant: fabrikam})
	check(ledger.DeadLetterQuery{Tenant: contoso, Code: fault.MessageExhausted}, "m1", "m2")
	check(ledger.DeadLetterQuery{All: true, Code: fault.MessageExhausted}, "m1", "m2", "m4")
	check(ledger.DeadLetterQuery{Tenant: contoso, Limit: 2}, "m1", "m2")
	check(ledger.DeadLetterQuery{Tenant: contoso, After: ids[1], Limit: 2}, "m3")
	check(ledger.DeadLetterQuery{Tenant: contoso, IDs: []string{ids[2], ids[3], newID()}}, "m3")
	check(ledger.DeadLetterQuery{All: true, IDs: []string{}})
	check(ledger.DeadLetterQuery{All: true, State: ledger.DeadLetterReplayed})
}

func deadLetterClose(b *fixture) {
	b.must(b.RecordDeadLetter(b.Context(), message("m1")))
	l := b.open1()
	at := now()
	b.must(b.CloseDeadLetter(b.Context(), l.ID, "operator:ada", at))
	b.must(b.CloseDeadLetter(b.Context(), l.ID, "operator:bob", at.Add(time.Hour)))
	found, err := b.DeadLetters(b.Context(), ledger.DeadLetterQuery{Tenant: contoso, State: ledger.DeadLetterReplayed})
	b.must(err)
	l.State = ledger.DeadLetterReplayed
	l.Closed = at
	l.ClosedBy = "operator:ada"
	b.same(found, []ledger.DeadLetter{l})
	b.mustFail(b.CloseDeadLetter(b.Context(), newID(), "x", at), fault.RequestNotFound)
	b.mustFail(
		b.CloseDeadLetter(b.Context(), b.die(b.devices(1)[0].ID, device.Tagged, fault.GroupNone).ID, "x", at),
		fault.RequestInvalid,
	)
}
