package ledgertest

import (
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

var repeating = map[string]func(*fixture){
	"Repeat/Returns":         repeatReturns,
	"Repeat/Tag":             repeatTag,
	"Repeat/Senders":         repeatSenders,
	"Repeat/InFile":          repeatInFile,
	"Repeat/CheckConfirmed":  repeatCheckConfirmed,
	"Repeat/CheckPutsToWork": repeatCheckPutsToWork,
	"Repeat/CheckIsRare":     repeatCheckIsRare,
	"Repeat/AtOnce":          repeatAtOnce,
	"Repeat/ReplayErased":    repeatReplayErased,
	"Repeat/Change":          repeatChange,
}

// Dead, missing and retired devices come back, with the capture that was sent; the dead letter is closed.
func repeatReturns(b *fixture) {
	for i, from := range []device.State{device.Dead, device.Missing, device.Retired} {
		first := b.accept(b.batch(contoso), Candidate(1, i+1))[0].Device
		tag := "KIOSK"
		id := "a registration"
		set := func(m *ledger.Move) {
			m.Set = ledger.Patch{Tag: &tag, RegistrationID: &id}
			m.Attempts = 3
		}
		if from == device.Missing {
			b.move(first, device.Ready, set)
			b.move(first, from)
		} else {
			b.move(first, device.Registered, set)
			b.move(first, from, func(m *ledger.Move) { m.Code = "test.code" })
		}
		if from == device.Retired {
			erased, err := b.EraseCaptures(b.Context(), now().Add(time.Hour), 10)
			b.must(err)
			b.same(erased, 1)
		}
		batch := b.batch(contoso)
		r := b.accept(batch, Candidate(1, i+1))[0]
		if r.Outcome != device.Updated || r.Code != fault.DeviceReturned || r.Device != first || r.Failed() {
			b.Errorf("%s: %+v", from, r)
		}
		d := b.device(first)
		if d.State != device.Collected || d.Due.IsZero() || d.Tag != "" || d.RegistrationID != "" || d.Attempts != 0 {
			b.Errorf("%s: %+v", from, d)
		}
		captures, err := b.Captures(b.Context(), contoso, []string{first})
		b.must(err)
		b.same(captures, map[string][]byte{first: Candidate(1, i+1).Canonical})
		b.counts(batch, device.Updated, device.Collected)
	}
	open, err := b.DeadLetters(b.Context(), ledger.DeadLetterQuery{Tenant: contoso})
	b.must(err)
	closed, err := b.DeadLetters(
		b.Context(), ledger.DeadLetterQuery{Tenant: contoso, State: ledger.DeadLetterClosed},
	)
	b.must(err)
	if len(open) != 0 || len(closed) != 1 || closed[0].ClosedBy == "" || closed[0].ClosedWhy == "" {
		b.Errorf("open %+v, closed %+v", open, closed)
	}
}

// counts checks a batch of one row of a known device.
func (b *fixture) counts(batch ledger.Batch, outcome device.RowOutcome, state device.State) {
	b.Helper()
	status, err := b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	b.same(status.Outcomes, map[device.RowOutcome]int{outcome: 1})
	states := map[device.State]int{}
	if outcome == device.Updated {
		states[state] = 1
	}
	b.same(status.States, states)
}

// Another tag is carried out from wherever the device is, and a repetition asks for nothing.
func repeatTag(b *fixture) {
	for i, c := range []struct{ from, to device.State }{
		{device.Collected, device.Collected},
		{device.Submitting, device.Submitting},
		{device.Submitted, device.Submitted},
		{device.Registered, device.Registered},
		{device.Tagged, device.Registered},
		{device.Grouped, device.Registered},
		{device.Ready, device.Registered},
		{device.Held, device.Held},
	} {
		row := Candidate(1, i+1)
		row.GroupTag = "A"
		row.User = "ada@contoso.com"
		id := b.accept(b.batch(contoso), row)[0].Device
		if c.from != device.Collected {
			b.move(id, c.from)
		}
		before := b.device(id)
		row.GroupTag = "B"
		row.User = "ADA@contoso.com" // the same user
		batch := b.batch(contoso)
		if r := b.accept(batch, row)[0]; r.Outcome != device.Updated || r.Code != fault.DeviceUpdated {
			b.Errorf("%s: %+v", c.from, r)
		}
		d := b.device(id)
		if d.State != c.to || d.GroupTag != "B" || d.Version == before.Version && c.to == device.Registered {
			b.Errorf("%s: %+v", c.from, d)
		}
		b.counts(batch, device.Updated, c.to)
		if r := b.accept(b.batch(contoso), row)[0]; r.Outcome != device.Duplicate {
			b.Errorf("%s, asked for again: %+v", c.from, r)
		}
	}
}

// A sender changes what it brought itself, an operator everything, and what an operator asked for stays.
func repeatSenders(b *fixture) {
	first := Candidate(1, 1)
	first.GroupTag = "A"
	id := b.accept(b.batch(contoso), first)[0].Device
	asks := func(tag, source string, operator bool) ledger.Receipt {
		b.Helper()
		row := Candidate(1, 1)
		row.GroupTag = tag
		row.Operator = operator
		batch, _, err := b.OpenBatch(b.Context(), ledger.Batch{ID: newID(), Tenant: contoso, Source: source})
		b.must(err)
		r := b.accept(batch, row)[0]
		status, err := b.Batch(b.Context(), contoso, batch.ID)
		b.must(err)
		if differs := len(status.Differs); (differs == 1) != r.Failed() {
			b.Errorf("%+v: %+v", r, status)
		}
		return r
	}
	for i, c := range []struct {
		tag, source string
		operator    bool
		code        fault.Code
		want        string
	}{
		{"B", "another", false, fault.DeviceDiffers, "A"},
		{"B", "oem", false, fault.DeviceUpdated, "B"},
		{"C", "another", true, fault.DeviceUpdated, "C"},
		{"B", "oem", false, fault.DeviceDiffers, "C"},
		{"", "oem", false, fault.DeviceDuplicate, "C"},
		{"D", "oem", true, fault.DeviceUpdated, "D"},
	} {
		r := asks(c.tag, c.source, c.operator)
		if r.Code != c.code || b.device(id).GroupTag != c.want {
			b.Errorf("%d: %+v, tag %q", i, r, b.device(id).GroupTag)
		}
	}
	// Where the rules give the tag, the row's changes nothing.
	row := Candidate(1, 1)
	row.GroupTag = "E"
	row.Ruled = "KIOSK"
	row.Operator = true
	if r := b.accept(b.batch(contoso), row)[0]; r.Code != fault.DeviceDiffers || b.device(id).GroupTag != "D" {
		b.Errorf("%+v", r)
	}
}

// A batch names a device once; its later rows say what they ask for in vain.
func repeatInFile(b *fixture) {
	row := func(number, sample int, tag string) intake.Candidate {
		c := Candidate(number, sample)
		c.GroupTag = tag
		return c
	}
	known := b.accept(b.batch(contoso), row(1, 1, "A"))[0].Device
	batch := b.batch(contoso)
	first := b.accept(batch, row(1, 1, "B"), row(2, 1, "C"), row(3, 2, "A"), row(4, 2, "B"), row(5, 2, "A"))
	second := b.accept(batch, row(6, 1, "B"), row(7, 1, "D"))
	var codes []fault.Code
	for _, r := range append(first, second...) {
		codes = append(codes, r.Code)
	}
	b.same(codes, []fault.Code{
		fault.DeviceUpdated, fault.RowDiffersInFile, "", fault.RowDiffersInFile, fault.RowDuplicateInFile,
		fault.RowDuplicateInFile, fault.RowDiffersInFile,
	})
	b.same(b.device(known).GroupTag, "B")
	status, err := b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	b.same(status.Outcomes, map[device.RowOutcome]int{device.Updated: 1, device.Accepted: 1, device.Duplicate: 5})
	b.same(status.States, map[device.State]int{device.Collected: 2})
	b.same(status.Differs, []ledger.Reason{{Code: fault.RowDiffersInFile, Count: 3}})
}

// ready accepts a device and takes it to ready.
func (b *fixture) ready(sample int) string {
	id := b.accept(b.batch(contoso), Candidate(1, sample))[0].Device
	at := now()
	b.move(id, device.Ready, func(m *ledger.Move) { m.Set.Confirmed = &at })
	return id
}

func repeatCheckConfirmed(b *fixture) {
	id := b.ready(1)
	batch := b.batch(contoso)
	r := b.accept(batch, Candidate(1, 1))[0]
	if r.Outcome != device.Duplicate || r.Code != fault.DeviceCheckDue || r.Device != id || r.Failed() {
		b.Errorf("%+v", r)
	}
	due := b.device(id).Due
	b.same(b.claim(device.StageGroup, contoso, now().Add(time.Second), due.Add(time.Hour), 10), []string{id})
	checks := func() int {
		status, err := b.Batch(b.Context(), contoso, batch.ID)
		b.must(err)
		return status.Checks
	}
	b.same(checks(), 1)
	b.move(id, device.Ready, func(m *ledger.Move) { m.Due = now().Add(time.Minute) }) // it could not be asked now
	b.same(checks(), 1)
	b.move(id, device.Ready)
	b.same(checks(), 0)
	b.counts(batch, device.Duplicate, "")
	b.same(b.accept(batch, Candidate(1, 1))[0].Code, fault.DeviceDuplicate)
}

func repeatCheckPutsToWork(b *fixture) {
	for i, c := range []struct {
		to   device.State
		want device.RowOutcome
	}{
		{device.Collected, device.Updated},
		{device.Registered, device.Updated},
		{device.Missing, device.Duplicate},
		{device.Retired, device.Duplicate},
	} {
		id := b.ready(i + 1)
		one := b.batch(contoso)
		two := b.batch(contoso)
		b.accept(one, Candidate(1, i+1))
		b.accept(two, Candidate(1, i+1))
		b.move(id, c.to)
		b.counts(one, c.want, c.to)
		b.counts(two, c.want, c.to)
		if c.want == device.Updated {
			rows, err := b.Rows(b.Context(), contoso, one.ID, ledger.RowQuery{Outcome: device.Updated})
			b.must(err)
			if len(rows) != 1 || rows[0].Code != fault.DeviceReturned {
				b.Errorf("%+v", rows)
			}
		}
	}
}

// A device is checked at most once in a while, however often it is sent.
func repeatCheckIsRare(b *fixture) {
	id := b.ready(1)
	confirmed := b.device(id).Confirmed
	for range 3 {
		receipts, err := b.Accept(b.Context(), b.batch(contoso), []intake.Candidate{Candidate(1, 1)},
			ledger.Terms{Due: now(), Recheck: time.Hour})
		b.must(err)
		b.same(receipts[0].Code, fault.DeviceCheckDue)
		b.same(b.device(id).Due, confirmed.Add(time.Hour))
	}
}

// Rows of one device in many batches at once: each batch names it, and the law holds for all.
func repeatAtOnce(b *fixture) {
	id := b.accept(b.batch(contoso), Candidate(1, 1))[0].Device
	b.move(id, device.Dead)
	const n = 8
	batches := make([]ledger.Batch, n)
	for i := range batches {
		batches[i] = b.batch(contoso)
	}
	receipts := make([]ledger.Receipt, n)
	together(n, func(i int) {
		got, err := b.Accept(b.Context(), batches[i], []intake.Candidate{Candidate(1, 1)}, ledger.Terms{Due: now()})
		if err != nil {
			b.Error(err)
			return
		}
		receipts[i] = got[0]
	})
	b.same(outcomes(receipts), map[device.RowOutcome]int{device.Updated: 1, device.Duplicate: n - 1})
	b.same(b.device(id).State, device.Collected)
}

// A dead device whose hash was erased is not replayed to where the hash is needed; sent again it starts over.
func repeatReplayErased(b *fixture) {
	id := b.ready(1)
	erased, err := b.EraseCaptures(b.Context(), now().Add(time.Hour), 10)
	b.must(err)
	b.same(erased, 1)
	b.move(id, device.Registered)
	b.move(id, device.Dead, func(m *ledger.Move) { m.Code = fault.AutopilotNotRegistered })
	open, err := b.DeadLetters(b.Context(), ledger.DeadLetterQuery{Tenant: contoso})
	b.must(err)
	_, err = b.Revive(b.Context(), open[0].ID, now(), "operator:ada")
	b.mustFail(err, fault.DeviceCaptureErased)
	b.same(b.device(id).State, device.Dead)
	b.same(b.accept(b.batch(contoso), Candidate(1, 1))[0].Code, fault.DeviceReturned)
}

// What a person asks for a device is carried out from where it is, and stays although its sender sends it again.
func repeatChange(b *fixture) {
	id := b.ready(1)
	asked := device.Request{GroupTag: "KIOSK", User: "ada@contoso.com", Operator: true}
	why := ledger.Decision{Tenant: contoso, Device: id, By: "operator:ada", Reason: "moved", Due: now(), DryRun: true}
	d, err := b.ChangeDevice(b.Context(), why, asked)
	b.must(err)
	b.same([]device.State{d.State, b.device(id).State}, []device.State{device.Registered, device.Ready})
	why.DryRun = false
	d, err = b.ChangeDevice(b.Context(), why, asked)
	b.must(err)
	if d.State != device.Registered || d.GroupTag != "KIOSK" || d.Due.IsZero() {
		b.Errorf("%+v", d)
	}
	b.same(b.device(id), d)
	timeline, err := b.Timeline(b.Context(), contoso, id)
	b.must(err)
	b.same(timeline[len(timeline)-1].By, "operator:ada")
	again, err := b.ChangeDevice(b.Context(), why, asked)
	b.must(err)
	b.same(again, d)
	row := Candidate(1, 1)
	row.GroupTag = "LAB"
	b.same(b.accept(b.batch(contoso), row)[0].Code, fault.DeviceDiffers)
	asked.GroupTag = "LAB"
	asked.Ruled = "KIOSK"
	_, err = b.ChangeDevice(b.Context(), why, asked)
	b.mustFail(err, fault.DeviceDiffers)
	why.Tenant = fabrikam
	_, err = b.ChangeDevice(b.Context(), why, asked)
	b.mustFail(err, fault.RequestNotFound)
}
