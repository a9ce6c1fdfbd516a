package device_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
)

// machine is what a machine is made of; ek is zero without a TPM.
type machine struct{ device.Identifiers }

// fleets draws machines that share firmware values as real fleets do. Two machines stay apart by something in each
// capture: a serial number of their own, a UUID of their own, or their disks.
func fleets() *rapid.Generator[[]machine] {
	return rapid.Custom(func(t *rapid.T) []machine {
		fleet := make([]machine, rapid.IntRange(1, 4).Draw(t, "machines"))
		for n := range fleet {
			own := byte(n + 1)
			m := device.Identifiers{
				Manufacturer: "HP",
				Product:      "Book",
				Components:   []hwhash.Component{{own}, {own, 2}},
			}
			if rapid.Bool().Draw(t, "TPM") {
				m.EKHash = [32]byte{own}
			}
			serial := rapid.SampledFrom([]string{"own", "shared", "Default string", "11111111"}).Draw(t, "serial")
			uuids := []string{"own", "shared", "listed"}
			switch serial {
			case "own":
				serial = fmt.Sprintf("5CG%d", n)
			case "shared": // real in all appearance, so the UUID must be their own
				serial = "SKU-77A1"
				uuids = []string{"own"}
			}
			m.Serial = device.NewSerial(serial)
			switch rapid.SampledFrom(uuids).Draw(t, "UUID") {
			case "own":
				m.UUID = uuid(own)
			case "shared":
				m.UUID = uuid(0x77)
			case "listed":
				m.UUID = uuidFF
			}
			if m.HasSerial() {
				m.Components = nil // as IdentifiersOf does it
			}
			fleet[n] = machine{m}
		}
		return fleet
	})
}

// capture returns the machine captured in the full OS, or in WinPE, which cannot read the TPM.
func (m machine) capture(winPE bool, hours int) (device.Candidate, error) {
	i := m.Identifiers
	if winPE {
		i.EKHash = [32]byte{}
	}
	if _, _, err := device.Identify(i); err != nil {
		return device.Candidate{}, err
	}
	return captured(i, hours), nil
}

// In whatever order the captures of a fleet come, no two machines end as one device, and no machine as two that nobody
// has to look at.
func TestMachinesAndDevices(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fleet := fleets().Draw(t, "fleet")
		in := newIntake()
		owner := map[*device.Known]int{}
		for range rapid.IntRange(1, 6).Draw(t, "rows") {
			n := rapid.IntRange(0, len(fleet)-1).Draw(t, "machine")
			c, err := fleet[n].capture(rapid.Bool().Draw(t, "WinPE"), rapid.IntRange(0, 5).Draw(t, "hour"))
			if err != nil {
				continue // nothing can tell it from another one: rejected
			}
			v := in.take(c)
			if v.Is == nil {
				owner[in.all[len(in.all)-1]] = n
			} else if owner[v.Is] != n {
				t.Fatalf("machine %d is taken for machine %d", n, owner[v.Is])
			}
		}
		free := map[int]int{}
		for k, n := range owner {
			if k.State != device.Held {
				free[n]++
			}
		}
		for n, devices := range free {
			if devices > 1 {
				t.Fatalf("machine %d is %d devices", n, devices)
			}
		}
	})
}

// Machines with values of their own are never in conflict, however often and wherever they are captured.
func TestOrdinaryMachinesAreNoConflicts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := newIntake()
		seen := map[byte]*device.Known{}
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			n := rapid.ByteRange(1, 3).Draw(t, "machine")
			m := machine{identifiers([32]byte{n}, uuid(n), "HP", "Book", fmt.Sprintf("5CG%d", n))}
			c, err := m.capture(rapid.Bool().Draw(t, "WinPE"), rapid.IntRange(0, 5).Draw(t, "hour"))
			if err != nil {
				t.Fatal(err)
			}
			v := in.take(c)
			switch known := seen[n]; {
			case known == nil && v.Outcome == device.Accepted:
				seen[n] = in.all[len(in.all)-1]
			case known == nil || v.Outcome != device.Duplicate || v.Is != known:
				t.Fatalf("machine %d, seen before: %v, is %s %s", n, known != nil, v.Outcome, v.Code)
			}
		}
	})
}
