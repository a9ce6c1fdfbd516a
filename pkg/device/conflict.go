package device

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"taxiway.example/pkg/fault"
)

// Sides is how the detail of a conflict names both devices: the one that is held, and the known one that it
// contradicts.
func Sides(held, known string) string {
	return fmt.Sprintf("This device: %s. Known device: %s.", held, known)
}

var knownSide = regexp.MustCompile(`Known device: ([0-9A-Za-z-]+)\.`)

// KnownSide returns the id of the known device that a detail names, as Sides does; "" for none.
func KnownSide(detail string) string {
	if m := knownSide.FindStringSubmatch(detail); m != nil {
		return m[1]
	}
	return ""
}

// HeldAsConflict reports whether the device is held because it contradicts another one, and for no other reason.
func (k *Known) HeldAsConflict() bool {
	return k.State == Held && slices.Contains(conflictCodes, k.Code)
}

var conflictCodes = []fault.Code{
	fault.DeviceConflictEK, fault.DeviceConflictSerial, fault.DeviceConflictUUID, fault.DeviceIdentifierShared,
}

// Contradiction is a device in service beside which a held device cannot go on.
type Contradiction struct {
	Against   *Known
	Relation  Relation // Contradicts, or that they are one device by now
	Differ    []Field
	BothExist bool // a person can know that they are two devices: neither TPM key nor serial number is the same
}

// Contradictions compares a held device with the known devices that share an identifier with it, which may include
// itself, and returns those that keep it held, by id. Retired devices and conflicts that wait for a person as well keep
// no other device held.
func (k *Known) Contradictions(known []*Known) []Contradiction {
	c := Candidate{Key: k.Key, Kind: k.Kind, Capture: k.Capture}
	others := slices.DeleteFunc(distinct(known), func(o *Known) bool { return o.ID == k.ID })
	d := doubtOf(c, others)
	var all []Contradiction
	for _, o := range others {
		m := match{Known: o, kinship: relate(o.Capture, k.Capture, d)}
		if o.State == Retired || m.waits() || m.relation == Unrelated {
			continue
		}
		shared := compare(o.Identifiers, k.Identifiers, d)
		all = append(all, Contradiction{
			Against: o, Relation: m.relation, Differ: m.differ,
			BothExist: m.relation == Contradicts && !shared.sameEK && !shared.sameSerial,
		})
	}
	slices.SortFunc(all, func(a, b Contradiction) int { return cmp.Compare(a.Against.ID, b.Against.ID) })
	return all
}
