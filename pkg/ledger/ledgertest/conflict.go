package ledgertest

import (
	"encoding/hex"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

var conflicts = map[string]func(*fixture){
	"Conflict/Codes":          conflictCodes,
	"Conflict/Held":           conflictHeld,
	"Conflict/InACall":        conflictInACall,
	"Conflict/Again":          conflictAgain,
	"Conflict/Resolved":       conflictResolved,
	"Conflict/RetiredKnown":   conflictRetiredKnown,
	"Conflict/RetiredTheSame": conflictRetiredTheSame,
}

func conflictCodes(b *fixture) {
	for i, test := range []struct {
		what            string
		known, incoming intake.Candidate
		code            fault.Code
	}{
		{"same serial, another TPM", Identifiers(1, 11, 11, 11), Identifiers(1, 12, 11, 11), fault.DeviceConflictEK},
		{"same serial, another board", Identifiers(1, 21, 21, 21), Identifiers(1, 22, 22, 21), fault.DeviceConflictEK},
		{"same TPM, another serial", Identifiers(1, 31, 31, 31), Identifiers(1, 31, 31, 32), fault.DeviceConflictSerial},
		{"same TPM and serial, another UUID", Identifiers(1, 41, 41, 41), Identifiers(1, 41, 42, 41), fault.DeviceConflictUUID},
		{"no TPM, same UUID, another serial", Identifiers(1, 0, 51, 51), Identifiers(1, 0, 51, 52), fault.DeviceConflictSerial},
		{"no TPM, same serial, another UUID", Identifiers(1, 0, 61, 61), Identifiers(1, 0, 62, 61), fault.DeviceConflictUUID},
		{"the TPM of one, the UUID of both, another serial", Identifiers(1, 71, 71, 71), Identifiers(1, 0, 71, 72), fault.DeviceConflictSerial},
	} {
		b.accept(b.batch(contoso), test.known)
		r := b.accept(b.batch(contoso), test.incoming)[0]
		if r.Outcome != device.Conflict || r.Code != test.code {
			b.Errorf("%d, %s: %+v", i, test.what, r)
		}
	}
}

func conflictHeld(b *fixture) {
	known := b.accept(b.batch(contoso), Candidate(1, 1))[0]
	batch := b.batch(contoso)
	c := Identifiers(1, 2, 2, 1)
	r := b.accept(batch, c)[0]
	d := b.device(r.Device)
	if r.Device == known.Device || d.State != device.Held || d.Code != fault.DeviceConflictEK || d.Detail == "" ||
		d.Variant != hex.EncodeToString(c.Capture.Digest[:]) || !d.Due.IsZero() || d.Batch != batch.ID {
		b.Errorf("%+v", d)
	}
	claimed, err := b.ClaimDevices(
		b.Context(),
		device.StageImport,
		ledger.Claim{Tenant: contoso, Now: now(), Until: now(), Limit: 10},
	)
	b.must(err)
	b.same(len(claimed), 1) // the known one
	status, err := b.Batch(b.Context(), contoso, batch.ID)
	b.must(err)
	b.same(status.Outcomes, map[device.RowOutcome]int{device.Conflict: 1})
	b.same(status.Conflicts, map[device.State]int{device.Held: 1})
	b.same(status.States, map[device.State]int{})
	b.same(status.Reasons, []ledger.Reason{{State: device.Held, Code: fault.DeviceConflictEK, Count: 1}})
	steps, err := b.Timeline(b.Context(), contoso, d.ID)
	b.must(err)
	b.same(
		steps,
		[]ledger.Transition{{At: d.Created, To: device.Held, Code: d.Code, Detail: d.Detail, By: "collector"}},
	)
}

func conflictInACall(b *fixture) {
	receipts := b.accept(
		b.batch(contoso),
		Candidate(1, 1),
		Identifiers(2, 2, 2, 1),
		Identifiers(3, 1, 1, 3),
		Identifiers(4, 2, 2, 1),
		Candidate(5, 1),
	)
	var got []device.RowOutcome
	for _, r := range receipts {
		got = append(got, r.Outcome)
	}
	b.same(
		got,
		[]device.RowOutcome{device.Accepted, device.Conflict, device.Conflict, device.Conflict, device.Duplicate},
	)
	if receipts[1].Device != receipts[3].Device || receipts[4].Device != receipts[0].Device {
		b.Errorf("%+v", receipts)
	}
}

func conflictAgain(b *fixture) {
	b.accept(b.batch(contoso), Candidate(1, 1))
	first := b.accept(b.batch(contoso), Identifiers(1, 2, 2, 1))[0]
	newer := Recapture(Identifiers(1, 2, 2, 1), 4)
	again := b.accept(b.batch(contoso), Identifiers(1, 2, 2, 1))[0]
	later := b.accept(b.batch(contoso), newer)[0]
	b.same(again, first)
	b.same(later, first)
	captures, err := b.Captures(b.Context(), contoso, []string{first.Device})
	b.must(err)
	b.same(captures, map[string][]byte{first.Device: newer.Canonical})
}

func conflictResolved(b *fixture) {
	known := b.accept(b.batch(contoso), Candidate(1, 1))[0]
	held := b.accept(b.batch(contoso), Identifiers(1, 2, 2, 1))[0]
	b.move(known.Device, device.Retired)
	b.move(held.Device, device.Collected)
	for i := range 2 {
		r := b.accept(b.batch(contoso), Recapture(Identifiers(1, 2, 2, 1), i))[0]
		if r.Outcome != device.Duplicate || r.Device != held.Device || r.Code != fault.DeviceDuplicate {
			b.Errorf("the released device: %+v", r)
		}
	}
	if r := b.accept(b.batch(contoso), Candidate(1, 1))[0]; r.Outcome != device.Duplicate ||
		r.Code != fault.DeviceRetired ||
		r.Device != known.Device {
		b.Errorf("the retired device contradicts the one that was released: %+v", r)
	}
}

func conflictRetiredKnown(b *fixture) {
	known := b.accept(b.batch(contoso), Candidate(1, 1))[0]
	b.move(known.Device, device.Retired)
	// The board was replaced and the old device retired: nothing contradicts the new one.
	if r := b.accept(b.batch(contoso), Identifiers(1, 2, 2, 1))[0]; r.Outcome != device.Accepted {
		b.Errorf("%+v", r)
	}
}

func conflictRetiredTheSame(b *fixture) {
	known := b.accept(b.batch(contoso), Candidate(1, 1))[0]
	b.move(known.Device, device.Retired)
	for i, c := range []intake.Candidate{
		Candidate(1, 1), Recapture(Candidate(1, 1), 1), Recapture(Identifiers(1, 1, 1, 2), 2),
	} {
		if i > 0 {
			b.move(known.Device, device.Retired)
		}
		r := b.accept(b.batch(contoso), c)[0]
		if r.Outcome != device.Updated || r.Code != fault.DeviceReturned || r.Device != known.Device {
			b.Errorf("%+v", r)
		}
		captures, err := b.Captures(b.Context(), contoso, []string{known.Device})
		b.must(err)
		b.same(captures, map[string][]byte{known.Device: c.Canonical})
	}
}
