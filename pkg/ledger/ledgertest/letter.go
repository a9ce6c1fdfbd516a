package ledgertest

import (
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

var letters = map[string]func(*bench){
	"Letter/Revive":            letterRevive,
	"Letter/ReviveGoesBack":    letterReviveGoesBack,
	"Letter/ReviveRefused":     letterReviveRefused,
	"Letter/ReviveOnce":        letterReviveOnce,
	"Letter/RecordOnce":        letterRecordOnce,
	"Letter/RecordAgainClosed": letterRecordAgainClosed,
	"Letter/Query":             letterQuery,
	"Letter/Close":             letterClose,
}

// die lets a device die in a state and returns its open letter.
func (b *bench) die(id string, from device.State, code fault.Code) ledger.Letter {
	b.Helper()
	b.move(id, from)
	b.move(id, device.Dead, func(m *ledger.Move) { m.Code, m.Attempts = code, 4 })
	found, err := b.Letters(b.Context(), ledger.LetterQuery{Tenant: contoso})
	b.must(err)
	for _, l := range found {
		if l.Device == id {
			return l
		}
	}
	b.Fatalf("no letter of %s", id)
	return ledger.Letter{}
}

func letterRevive(b *bench) {
	d := b.devices(1)[0]
	for round := range 3 {
		l := b.die(d.ID, device.Tagged, fault.GroupNone)
		b.same(l.Replays, round)
		due := now().Add(time.Minute)
		dead := b.device(d.ID)
		got, err := b.Revive(b.Context(), l.ID, due, "operator:ada")
		b.must(err)
		b.same(b.device(d.ID), got)
		if got.State != device.Tagged || got.Attempts != 0 || got.Code != "" || !got.Due.Equal(due) || got.Version != dead.Version+1 {
			b.Errorf("%+v", got)
		}
		replayed, err := b.Letters(b.Context(), ledger.LetterQuery{Tenant: contoso, State: ledger.LetterReplayed, IDs: []string{l.ID}})
		b.must(err)
		l.State, l.Closed, l.ClosedBy = ledger.LetterReplayed, got.Updated, "operator:ada"
		b.same(replayed, []ledger.Letter{l})
		steps, err := b.Timeline(b.Context(), contoso, d.ID)
		b.must(err)
		last := steps[len(steps)-1]
		b.same(last, ledger.Transition{At: got.Updated, From: device.Dead, To: device.Tagged, By: "operator:ada"})
	}
}

func letterReviveGoesBack(b *bench) {
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

func letterReviveRefused(b *bench) {
	d := b.devices(1)[0]
	l := b.die(d.ID, device.Registered, fault.GroupNone)
	b.must(b.Record(b.Context(), ledger.Letter{Tenant: contoso, Message: "m", Subscription: "importer", Code: fault.MessageMalformed}))
	all, err := b.Letters(b.Context(), ledger.LetterQuery{Tenant: contoso, Code: fault.MessageMalformed})
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

func letterReviveOnce(b *bench) {
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

func message(id string) ledger.Letter {
	return ledger.Letter{
		Tenant: contoso, Message: id, Subscription: "importer", Type: "devices.collected.v1", Code: fault.MessageExhausted,
		Detail: "tried 5 times", Attempts: 5, Replays: 2, At: now(),
	}
}

func letterRecordOnce(b *bench) {
	want := message("m1")
	b.must(b.Record(b.Context(), want))
	again := want
	again.Code, again.Attempts, again.At = fault.MessageMalformed, 6, want.At.Add(time.Second)
	b.must(b.Record(b.Context(), again))
	other := message("m1")
	other.Subscription = "grouper"
	b.must(b.Record(b.Context(), other))
	found, err := b.Letters(b.Context(), ledger.LetterQuery{Tenant: contoso})
	b.must(err)
	b.same(len(found), 2)
	again.ID, again.State = found[0].ID, ledger.LetterOpen
	b.same(found[0], again)
	for range 2 { // letters of no message are never the same
		b.must(b.Record(b.Context(), ledger.Letter{Tenant: fabrikam, Code: fault.InternalPanic}))
	}
	found, err = b.Letters(b.Context(), ledger.LetterQuery{Tenant: fabrikam})
	b.must(err)
	b.same(len(found), 2)
}

func letterRecordAgainClosed(b *bench) {
	b.must(b.Record(b.Context(), message("m1")))
	l := b.open1()
	b.must(b.CloseLetter(b.Context(), l.ID, "operator:ada", now()))
	b.must(b.Record(b.Context(), message("m1")))
	again := b.open1()
	if again.ID != l.ID || again.Replays != l.Replays+1 || !again.Closed.IsZero() || again.ClosedBy != "" {
		b.Errorf("%+v", again)
	}
}

// open1 returns the only open letter of contoso.
func (b *bench) open1() ledger.Letter {
	b.Helper()
	found, err := b.Letters(b.Context(), ledger.LetterQuery{Tenant: contoso})
	b.must(err)
	if len(found) != 1 {
		b.Fatalf("%d open letters", len(found))
	}
	return found[0]
}

func letterQuery(b *bench) {
	for _, id := range []string{"m1", "m2", "m3", "m4"} {
		l := message(id)
		if id == "m3" {
			l.Code = fault.MessageMalformed
		}
		if id == "m4" {
			l.Tenant = ""
		}
		b.must(b.Record(b.Context(), l))
	}
	query := func(q ledger.LetterQuery) (ids, messages []string) {
		found, err := b.Letters(b.Context(), q)
		b.must(err)
		for _, l := range found {
			ids, messages = append(ids, l.ID), append(messages, l.Message)
		}
		return ids, messages
	}
	check := func(q ledger.LetterQuery, want ...string) {
		b.Helper()
		_, got := query(q)
		b.same(got, want)
	}
	ids, _ := query(ledger.LetterQuery{All: true})
	check(ledger.LetterQuery{All: true}, "m1", "m2", "m3", "m4")
	check(ledger.LetterQuery{Tenant: contoso}, "m1", "m2", "m3")
	check(ledger.LetterQuery{}, "m4")
	check(ledger.LetterQuery{Tenant: fabrikam})
	check(ledger.LetterQuery{Tenant: contoso, Code: fault.MessageExhausted}, "m1", "m2")
	check(ledger.LetterQuery{All: true, Code: fault.MessageExhausted}, "m1", "m2", "m4")
	check(ledger.LetterQuery{Tenant: contoso, Limit: 2}, "m1", "m2")
	check(ledger.LetterQuery{Tenant: contoso, After: ids[1], Limit: 2}, "m3")
	check(ledger.LetterQuery{Tenant: contoso, IDs: []string{ids[2], ids[3], newID()}}, "m3")
	check(ledger.LetterQuery{All: true, IDs: []string{}})
	check(ledger.LetterQuery{All: true, State: ledger.LetterReplayed})
}

func letterClose(b *bench) {
	b.must(b.Record(b.Context(), message("m1")))
	l, at := b.open1(), now()
	b.must(b.CloseLetter(b.Context(), l.ID, "operator:ada", at))
	b.must(b.CloseLetter(b.Context(), l.ID, "operator:bob", at.Add(time.Hour)))
	found, err := b.Letters(b.Context(), ledger.LetterQuery{Tenant: contoso, State: ledger.LetterReplayed})
	b.must(err)
	l.State, l.Closed, l.ClosedBy = ledger.LetterReplayed, at, "operator:ada"
	b.same(found, []ledger.Letter{l})
	b.mustFail(b.CloseLetter(b.Context(), newID(), "x", at), fault.RequestNotFound)
	b.mustFail(b.CloseLetter(b.Context(), b.die(b.devices(1)[0].ID, device.Tagged, fault.GroupNone).ID, "x", at), fault.RequestInvalid)
}
