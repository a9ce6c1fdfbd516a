package ledgertest

import (
	"sync/atomic"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

var moving = map[string]func(*fixture){
	"Move/Sets":           moveSets,
	"Move/Waits":          moveWaits,
	"Move/Stale":          moveStale,
	"Move/Many":           moveMany,
	"Move/ChainInACall":   moveChain,
	"Move/OneWinner":      moveOneWinner,
	"Move/CrossedAtOnce":  moveCrossed,
	"Move/Timeline":       moveTimeline,
	"Move/Dead":           moveDead,
	"Move/Legal":          moveLegal,
	"Move/IllegalInACall": moveIllegalInACall,
}

func moveSets(b *fixture) {
	d := b.devices(1)[0]
	due := now().Add(time.Hour)
	id := "reg-1"
	entra := "entra-1"
	tag := "Kiosk"
	limit := 3
	got := b.move(d.ID, device.Registered, func(m *ledger.Move) {
		m.Due = due
		m.Code = fault.GroupTagPending
		m.Detail = "first look"
		m.Attempts = 2
		m.Set = ledger.Patch{RegistrationID: &id, EntraDeviceID: &entra, Tag: &tag, ChunkLimit: &limit}
	})
	want := d
	want.State = device.Registered
	want.Version = 3
	want.Due = due
	want.Code = fault.GroupTagPending
	want.Detail = "first look"
	want.Attempts = 2
	want.RegistrationID = id
	want.EntraDeviceID = entra
	want.Tag = tag
	want.ChunkLimit = limit
	want.Updated = got.Updated
	b.same(got, want)
	if got.Updated.Before(d.Updated) {
		b.Errorf("updated %v, before that %v", got.Updated, d.Updated)
	}
	empty := ""
	got = b.move(d.ID, device.Tagged, func(m *ledger.Move) { m.Set.Tag = &empty })
	want.State = device.Tagged
	want.Version = 4
	want.Due = time.Time{}
	want.Code = ""
	want.Detail = ""
	want.Attempts = 0
	want.Tag = ""
	want.Updated = got.Updated
	b.same(got, want)
}

func moveWaits(b *fixture) {
	d := b.devices(1)[0]
	pending := func(m *ledger.Move) {
		m.Code = fault.GraphThrottled
		m.Due = now()
		m.Attempts = 1
	}
	b.move(d.ID, device.Collected, pending)
	got := b.move(d.ID, device.Collected, pending)
	b.same(got.Version, int64(3))
	steps, err := b.Timeline(b.Context(), contoso, d.ID)
	b.must(err)
	b.same(len(steps), 2) // the second wait for the same reason is no news
	b.same(steps[1].Code, fault.GraphThrottled)
	b.same(steps[1].From, device.Collected)
}

func moveStale(b *fixture) {
	d := b.devices(1)[0]
	b.move(d.ID, device.Registered)
	for _, m := range []ledger.Move{
		{Tenant: contoso, Device: d.ID, Version: 2, To: device.Dead},
		{Tenant: contoso, Device: d.ID, Version: 4, To: device.Dead},
		{Tenant: fabrikam, Device: d.ID, Version: 3, To: device.Dead},
		{Tenant: contoso, Device: newID(), Version: 1, To: device.Dead},
	} {
		applied, err := b.Move(b.Context(), m)
		b.must(err)
		b.same(applied, []bool{false})
	}
	b.same(b.device(d.ID).State, device.Registered)
	found, err := b.DeadLetters(b.Context(), ledger.DeadLetterQuery{All: true})
	b.must(err)
	b.same(len(found), 0)
	applied, err := b.Move(b.Context())
	b.must(err)
	b.same(len(applied), 0)
}

func moveMany(b *fixture) {
	all := b.devices(600)
	moves := make([]ledger.Move, len(all))
	for i, d := range all {
		moves[i] = ledger.Move{Tenant: contoso, Device: d.ID, Version: d.Version, To: device.Submitting, Attempts: i}
	}
	moves[5].Version = 9
	applied, err := b.Move(b.Context(), moves...)
	b.must(err)
	for i := range moves {
		if applied[i] == (i == 5) {
			b.Errorf("move %d: %v", i, applied[i])
		}
	}
	b.same(b.device(all[599].ID).Attempts, 599)
	b.same(b.device(all[5].ID).State, device.Collected)
}

func moveChain(b *fixture) {
	d := b.devices(1)[0]
	move := func(version int64, to device.State) ledger.Move {
		return ledger.Move{Tenant: contoso, Device: d.ID, Version: version, To: to, By: "test"}
	}
	applied, err := b.Move(b.Context(), move(1, device.Submitting), move(1, device.Dead), move(2, device.Submitted))
	b.must(err)
	b.same(applied, []bool{true, false, true})
	b.same(b.device(d.ID).State, device.Submitted)
	steps, err := b.Timeline(b.Context(), contoso, d.ID)
	b.must(err)
	b.same(len(steps), 3)
}

func moveOneWinner(b *fixture) {
	d := b.devices(1)[0]
	for version := int64(1); version <= 5; version++ {
		var won atomic.Int32
		together(50, func(i int) {
			applied, err := b.Move(b.Context(), ledger.Move{
				Tenant: contoso, Device: d.ID, Version: version, To: device.Submitting, Attempts: i,
			})
			if err != nil {
				b.Error(err)
			} else if applied[0] {
				won.Add(1)
			}
		})
		if won.Load() != 1 {
			b.Fatalf("version %d: %d winners of 50", version, won.Load())
		}
	}
	b.same(b.device(d.ID).Version, int64(6))
}

func moveCrossed(b *fixture) {
	all := b.devices(20)
	var won atomic.Int32
	together(8, func(i int) {
		moves := make([]ledger.Move, len(all))
		for j := range all {
			d := all[j]
			if i%2 == 1 { // half of them ask in the opposite order
				d = all[len(all)-1-j]
			}
			moves[j] = ledger.Move{Tenant: contoso, Device: d.ID, Version: 1, To: device.Submitting}
		}
		applied, err := b.Move(b.Context(), moves...)
		if err != nil {
			b.Error(err)
		}
		for _, ok := range applied {
			if ok {
				won.Add(1)
			}
		}
	})
	b.same(won.Load(), int32(20))
}

func moveTimeline(b *fixture) {
	d := b.devices(1)[0]
	b.move(d.ID, device.Submitting, func(m *ledger.Move) { m.By = "importer" })
	b.move(d.ID, device.Registered, func(m *ledger.Move) { m.By = "importer" })
	b.move(d.ID, device.Registered, func(m *ledger.Move) {
		m.By = "grouper"
		m.Code = fault.GroupEntraPending
		m.Detail = "no Entra device yet"
		m.Attempts = 4
	})
	b.move(d.ID, device.Retired, func(m *ledger.Move) { m.By = "operator:ada" })
	steps, err := b.Timeline(b.Context(), contoso, d.ID)
	b.must(err)
	for i := range steps {
		if i > 0 && steps[i].At.Before(steps[i-1].At) {
			b.Errorf("step %d goes back in time", i)
		}
		steps[i].At = time.Time{}
	}
	b.same(steps, []ledger.Transition{
		{To: device.Collected, By: "collector"},
		{From: device.Collected, To: device.Submitting, By: "importer"},
		{From: device.Submitting, To: device.Registered, By: "importer"},
		{From: device.Registered, To: device.Registered, Code: fault.GroupEntraPending, Detail: "no Entra device yet", By: "grouper", Attempt: 4},
		{From: device.Registered, To: device.Retired, By: "operator:ada"},
	})
}

func moveDead(b *fixture) {
	d := b.devices(1)[0]
	b.move(d.ID, device.Submitted)
	dead := b.move(d.ID, device.Dead, func(m *ledger.Move) {
		m.Code = fault.AutopilotInvalidHash
		m.Detail = "error 810"
		m.Attempts = 3
	})
	b.move(d.ID, device.Dead, func(m *ledger.Move) { m.Code = fault.AutopilotUnknown }) // dead already
	found, err := b.DeadLetters(b.Context(), ledger.DeadLetterQuery{Tenant: contoso})
	b.must(err)
	b.same(len(found), 1)
	b.same(found[0], ledger.DeadLetter{
		ID: found[0].ID, Tenant: contoso, Device: d.ID, From: device.Submitted, Code: fault.AutopilotInvalidHash,
		Detail:   "error 810",
		Attempts: 3, State: ledger.DeadLetterOpen, At: dead.Updated,
	})
}

// Every pair of states: what the table of transitions allows is carried out, everything else changes nothing.
func moveLegal(b *fixture) {
	targets := append(device.States(), "", "nonsense")
	from := device.States()
	devices := b.devices(len(from) * len(targets))
	for i, state := range from {
		for j, to := range targets {
			d := devices[i*len(targets)+j]
			if state != device.Collected {
				d = b.move(d.ID, state)
			}
			applied, err := b.Move(
				b.Context(),
				ledger.Move{Tenant: contoso, Device: d.ID, Version: d.Version, To: to, By: "test"},
			)
			if state.CanBecome(to) {
				if err != nil || !applied[0] || b.device(d.ID).State != to {
					b.Errorf("%s → %q: %v, %v", state, to, applied, err)
				}
				continue
			}
			if !fault.Is(err, fault.DeviceIllegalTransition) {
				b.Errorf("%s → %q: %v, %v", state, to, applied, err)
			}
			b.same(b.device(d.ID), d)
		}
	}
}

// A call with an illegal step carries out none of its steps, and one that is stale is no illegal one.
func moveIllegalInACall(b *fixture) {
	all := b.devices(2)
	good := ledger.Move{Tenant: contoso, Device: all[0].ID, Version: 1, To: device.Submitting}
	bad := ledger.Move{Tenant: contoso, Device: all[1].ID, Version: 1, To: device.Ready}
	_, err := b.Move(b.Context(), good, bad)
	b.mustFail(err, fault.DeviceIllegalTransition)
	b.same(b.device(all[0].ID), all[0])
	bad.Version = 7
	applied, err := b.Move(b.Context(), good, bad)
	b.must(err)
	b.same(applied, []bool{true, false})
}
