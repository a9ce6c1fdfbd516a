package device_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// intake decides rows one after the other, as the ledger does.
type intake struct {
	index *device.Index
	all   []*device.Known
}

func newIntake() *intake { return &intake{index: device.NewIndex()} }

func (in *intake) take(c device.Candidate) device.Decision {
	v := in.index.Decide(c)
	if v.Is != nil {
		v.Is.Learn(c, v.Newer)
		in.index.Add(v.Is)
		return v
	}
	k := known(fmt.Sprintf("%03d", len(in.all)), c, device.Collected)
	k.Key = v.Key
	k.Crowded = v.Crowded
	if v.Outcome == device.Conflict {
		k.State = device.Held
		k.Conflict = true
		k.Code = v.Code
	}
	in.all = append(in.all, k)
	in.index.Add(k)
	return v
}

// forged returns a hash that names the victim's serial number; ek and uuid leave out the TPM key and the UUID.
func forged(n int, ek, uuid bool) device.Candidate {
	i := identifiers([32]byte{}, uuidFF, "HP", fmt.Sprintf("Book %d", n), "5CG1")
	sum := sha256.Sum256(fmt.Append(nil, n))
	if ek {
		i.EKHash = sum
	}
	if uuid {
		i.UUID = [16]byte(sum[:16])
	}
	return captured(i, 0)
}

// Forged hashes with a device's serial number never lock the device out.
func TestForgedHashesLockNoDeviceOut(t *testing.T) {
	t.Parallel()
	const forgeries = device.MaxClaims + 5
	real := captured(identifiers(ekA, uuidA, "HP", "Book", "5CG1"), 0)
	for name, c := range map[string]struct{ ek, uuid bool }{
		"with TPM keys": {true, true}, "with TPM keys alone": {true, false}, "with UUIDs": {false, true}, "with serials alone": {false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := newIntake()
			for n := range forgeries {
				if v := in.take(forged(n, c.ek, c.uuid)); v.Outcome == device.Rejected ||
					v.Outcome == device.Duplicate {
					t.Errorf("forgery %d is %s %s", n, v.Outcome, v.Code)
				}
			}
			first := in.take(real)
			if first.Outcome != device.Accepted && first.Outcome != device.Conflict || first.Is != nil {
				t.Fatalf("the real device is %s %s", first.Outcome, first.Code)
			}
			mine := in.all[len(in.all)-1]
			if again := in.take(captured(real.Capture.Identifiers, 1)); again.Is != mine {
				t.Errorf("captured again it is %s %s, and not itself", again.Outcome, again.Code)
			}
			if len(in.all) != forgeries+1 {
				t.Errorf("%d devices", len(in.all))
			}
			// A person retires the forgeries and releases the real one: it is a device like any other.
			for _, k := range in.all {
				k.State = device.Retired
			}
			mine.State = device.Collected
			mine.Crowded = device.Crowded{}
			in.index.Add(mine)
			if v := in.take(captured(real.Capture.Identifiers, 2)); v.Outcome != device.Duplicate || v.Is != mine {
				t.Errorf("released, it is %s %s", v.Outcome, v.Code)
			}
			if v := in.take(forged(forgeries, c.ek, c.uuid)); v.Outcome != device.Conflict || v.Against != mine {
				t.Errorf("another forgery is %s %s", v.Outcome, v.Code)
			}
		})
	}
}

// Beyond the limit nothing is compared, and the work for a row stays the same however many devices claim a value.
func TestClaimsAreBounded(t *testing.T) {
	t.Parallel()
	in := newIntake()
	for n := range 3 * device.MaxClaims {
		v := in.take(forged(n, false, true))
		if crowd := n >= device.MaxClaims; v.Crowded.Serial != crowd ||
			crowd && v.Code != fault.DeviceIdentifierShared {
			t.Fatalf("claim %d: %s, crowded %v", n, v.Code, v.Crowded)
		}
	}
	// One UUID, and nothing else but other disks: each is held, and found again by its own bytes.
	boards := newIntake()
	for n := range byte(2 * device.MaxClaims) {
		c := captured(parts(identifiers([32]byte{}, uuidA, "HP", "Book", "None"), n), 0)
		v := boards.take(c)
		if want := map[bool]device.RowOutcome{true: device.Accepted, false: device.Conflict}[n == 0]; v.Outcome != want {
			t.Fatalf("board %d is %s", n, v.Outcome)
		}
		if again := boards.take(c); again.Is == nil || again.Is != boards.all[n] {
			t.Fatalf("board %d sent again is %s, and not itself", n, again.Outcome)
		}
	}
}

// A serial number that a maker's devices show under many TPM keys is a placeholder although no list has it.
func TestPlaceholdersAreLearned(t *testing.T) {
	t.Parallel()
	in := newIntake()
	outcomes := map[device.RowOutcome]int{}
	for n := range 3 * device.MaxClaims {
		outcomes[in.take(forged(n, true, true)).Outcome]++
	}
	if outcomes[device.Conflict] != 2 || outcomes[device.Accepted] != 3*device.MaxClaims-2 {
		t.Errorf("%v", outcomes)
	}
	few := newIntake()
	for n := range 3 {
		few.take(forged(n, true, true))
	}
	for n, next := range []struct {
		maker string
		want  device.RowOutcome
	}{{"HP", device.Accepted}, {"Dell", device.Accepted}, {"Dell", device.Conflict}} {
		id := byte(0x90 + n)
		if v := few.take(captured(identifiers([32]byte{id}, uuid(id), next.maker, "Book", "5CG1"), 0)); v.Outcome != next.want {
			t.Errorf("device %d, of %s, is %s %s", n, next.maker, v.Outcome, v.Code)
		}
	}
}
