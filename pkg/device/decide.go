package device

import (
	"cmp"
	"slices"

	"taxiway.example/pkg/fault"
)

// Candidate is a capture that has come in, with the key that Identify gives it.
type Candidate struct {
	Key     Key
	Kind    KeyKind
	Capture Capture
}

// CandidateOf names the device of a capture. The error is ErrNoIdentity.
func CandidateOf(c Capture) (Candidate, error) {
	key, kind, err := Identify(c.Identifiers)
	if err != nil {
		return Candidate{}, err
	}
	return Candidate{Key: key, Kind: kind, Capture: c}, nil
}

// Decision is what becomes of a candidate.
type Decision struct {
	Outcome RowOutcome // Accepted, Duplicate or Conflict
	Code    fault.Code
	Detail  string
	Is      *Known // the known device that the candidate is; nil when it becomes a device of its own
	Against *Known // the known device that a new conflict contradicts
	Newer   bool   // the candidate's capture is to be kept instead of the device's

	Key     Key     // of the new device: the candidate's unless too many claim that
	Crowded Crowded // of the new device
}

// MaxClaims is how many devices are compared by one serial number or UUID. What comes beyond them is held without
// further comparison: no person would compare them, and comparing each with all would be quadratic.
const MaxClaims = 20

// manyKeys is how many TPM keys of one maker show that a serial number or UUID is a placeholder although no list has
// it.
const manyKeys = 3

// Decide says what a candidate is, held against the known devices that share an identifier with it; devices may be
// there twice. Retired devices contradict nothing and claim nothing.
//
// A duplicate is device.duplicate, and Device.Repeat says what the row asks of the device; or device.retired when the
// device was retired and contradicts one that is in service. A conflict is device.conflict_ek, _serial or _uuid, or
// device.identifier_shared beyond MaxClaims; the same conflicting device again is the same held device.
func Decide(c Candidate, known []*Known) Decision {
	known = distinct(known)
	d := doubtOf(c, known)
	matches := make([]match, len(known))
	for i, k := range known {
		kin := relate(k.Capture, c.Capture, d)
		matches[i] = match{Known: k, kinship: kin, exact: k.Key == c.Key || k.sameBytes(c.Capture)}
	}
	slices.SortStableFunc(matches, match.compare)
	if len(matches) == 0 || matches[0].rank() == unrelated {
		return c.fresh(known, d, nil)
	}
	first := matches[0]
	switch {
	case first.State == Retired:
		return first.retired(c, matches)
	case !first.same(), len(matches) > 1 && first.ambiguousWith(matches[1]):
		return c.fresh(known, d, &first)
	case first.waits():
		return Decision{
			Outcome: Conflict,
			Code:    first.Code,
			Detail:  first.Detail,
			Is:      first.Known,
			Newer:   first.replaces(c.Capture),
		}
	}
	return first.duplicate(c.Capture)
}

func (m match) duplicate(c Capture) Decision {
	return Decision{
		Outcome: Duplicate, Code: fault.DeviceDuplicate, Detail: m.relation.Advice(m.differ), Is: m.Known,
		Newer: m.replaces(c),
	}
}

// replaces reports whether the candidate's capture is to be kept instead of the device's: it is the later one, and it
// does not lack the TPM key that the device has.
func (m match) replaces(c Capture) bool {
	return m.relation == SameNewer && (c.HasEK() || !m.HasEK())
}

// retired decides about a candidate that is a retired device: it may come back unless it contradicts another one that
// is in service. What the two disagree in counts as rewritten.
func (m match) retired(c Candidate, matches []match) Decision {
	for _, other := range matches[1:] {
		if other.relation == Contradicts && other.State != Retired {
			return Decision{
				Outcome: Duplicate, Code: fault.DeviceRetired, Detail: Contradicts.Advice(other.differ), Is: m.Known,
				Against: other.Known,
			}
		}
	}
	newer := c.Capture.newerThan(m.Capture) && (c.Capture.HasEK() || !m.HasEK())
	return Decision{Outcome: Duplicate, Code: fault.DeviceDuplicate, Is: m.Known, Newer: newer}
}

// fresh decides about a candidate that is none of the known devices; against is the one that it contradicts, if any.
func (c Candidate) fresh(known []*Known, d doubt, against *match) Decision {
	claims := c.claims(known)
	v := Decision{Outcome: Accepted, Key: c.Key, Crowded: claims.crowded}
	switch {
	case claims.exceed(c, d):
		v.Outcome = Conflict
		v.Code = fault.DeviceIdentifierShared
		v.Against = claims.first
		v.Detail = "Too many devices claim its serial number or UUID to compare it with each of them."
	case against != nil:
		v.Outcome = Conflict
		v.Code = conflictCode(against.differ)
		v.Against = against.Known
		v.Detail = Contradicts.Advice(against.differ)
	}
	if claims.key {
		v.Key = c.Key.ofCapture(c.Capture)
	}
	return v
}

// conflictCode names the field that says most.
func conflictCode(differ []Field) fault.Code {
	switch {
	case slices.Contains(differ, FieldEKHash):
		return fault.DeviceConflictEK
	case slices.Contains(differ, FieldUUID) && !slices.Contains(differ, FieldSerial):
		return fault.DeviceConflictUUID
	}
	return fault.DeviceConflictSerial
}

func distinct(known []*Known) []*Known {
	all := slices.Clone(known)
	slices.SortFunc(all, func(a, b *Known) int { return cmp.Compare(a.ID, b.ID) })
	return slices.Compact(all)
}
