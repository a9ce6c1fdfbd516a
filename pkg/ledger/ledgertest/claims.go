package ledgertest

import (
	"fmt"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
)

// Forged hashes with a device's serial number, sent by its own source or by another one, never lock the device out;
// retired forgeries claim nothing.
func acceptForged(b *fixture) {
	for i, tpm := range []bool{true, false} {
		serial := i + 1
		forged := func(n int) intake.Candidate {
			ek := 0
			board := 100*serial + n
			if tpm {
				ek = board
			}
			return Identifiers(n+1, ek, board, serial)
		}
		batch := b.batch(contoso)
		var first []ledger.Receipt
		for n := range device.MaxClaims + 5 {
			r := b.accept(batch, forged(n))[0]
			if r.Outcome != device.Accepted && r.Outcome != device.Conflict {
				b.Fatalf("forgery %d: %+v", n, r)
			}
			first = append(first, r)
		}
		again := b.accept(b.batch(contoso), Recapture(forged(0), 1), forged(device.MaxClaims+4))
		if again[0].Device != first[0].Device || again[1].Device != first[device.MaxClaims+4].Device {
			b.Errorf("sent again: %+v", again)
		}

		genuine := Identifiers(1, 50+serial, 50+serial, serial)
		held := b.accept(b.batch(contoso), genuine)[0]
		if held.Outcome != device.Accepted && held.Outcome != device.Conflict {
			b.Fatalf("the genuine device: %+v", held)
		}
		if r := b.accept(b.batch(contoso), Recapture(genuine, 1))[0]; r.Device != held.Device {
			b.Errorf("the genuine device, captured again: %+v", r)
		}
		for _, r := range first {
			b.move(r.Device, device.Retired)
		}
		other := Identifiers(1, 60+serial, 60+serial, serial)
		if r := b.accept(b.batch(contoso), other)[0]; r.Code == fault.DeviceIdentifierShared {
			b.Errorf("retired devices claim: %+v", r)
		}
		if held.Outcome == device.Conflict {
			b.move(held.Device, device.Collected)
		}
		if r := b.accept(b.batch(contoso), Recapture(genuine, 2))[0]; r.Device != held.Device ||
			r.Outcome != device.Duplicate {
			b.Errorf("the genuine device, released: %+v", r)
		}
	}
}

// Machines that share a UUID, with no TPM and no serial number to tell them apart, are held one by one; disks and
// network adapters say which of them is sent again.
func acceptComponents(b *fixture) {
	board := func(row int, disk byte, hours int) intake.Candidate {
		c := Identifiers(row, 0, 1, 0)
		c.Capture.Components = []hwhash.Component{{disk}, {disk, 1}}
		return Recapture(sealed(c, fmt.Sprint("disk ", disk)), hours)
	}
	receipts := b.accept(b.batch(contoso), board(1, 1, 0), board(2, 2, 0), board(3, 1, 1), board(4, 2, 1))
	b.same(outcomes(receipts), map[device.RowOutcome]int{device.Accepted: 1, device.Duplicate: 1, device.Conflict: 2})
	b.same(receipts[2].Device, receipts[0].Device)
	b.same(receipts[3].Device, receipts[1].Device)
	b.same(b.device(receipts[0].Device).Components, []hwhash.Component{{1}, {1, 1}})
	for n := range byte(2 * device.MaxClaims) { // more than are compared: each is held, and found again by its bytes
		c := board(1, 10+n, 0)
		first := b.accept(b.batch(contoso), c)[0]
		if again := b.accept(b.batch(contoso), c)[0]; first.Outcome != device.Conflict || again.Device != first.Device {
			b.Fatalf("board %d: %+v, then %+v", n, first, again)
		}
	}
}
