package sqlledger

import (
	"cmp"
	"slices"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
)

// verdict is what a row becomes.
type verdict struct {
	outcome device.RowOutcome
	code    fault.Code
	detail  string
	device  *record // the known device; nil when the row makes a new one
	same    bool    // the device is the row's own
	newer   bool    // and the row's capture is the newer one
}

// match is a known device with its relation to a row.
type match struct {
	*record
	relation device.Relation
	differ   []device.Field
	exact    bool // the same identity
}

// rank orders matches by how much they say about the row; the first decides.
func (m match) rank() int {
	waiting := m.conflict && m.State == device.Held
	order := 0
	switch {
	case m.State == device.Retired:
		order = 2
	case waiting:
		order = 1
	}
	switch {
	case m.same() && m.exact:
		return order
	case m.exact && m.Variant == "": // one identity, two stories
		return 3
	case m.same():
		return 4 + order
	case m.relation == device.Contradicts && m.State != device.Retired:
		return 7
	}
	return unrelated
}

const unrelated = 8

func (m match) same() bool {
	// An identity that the evidence does not confirm is still the identity, which is unique.
	return m.relation != device.Contradicts && (m.relation != device.Unrelated || m.exact && m.Variant == "")
}

// decide compares a row with the devices that share a piece of evidence with it.
func decide(c *intake.Candidate, related []*record) verdict {
	first := match{}
	for _, r := range related {
		m := match{record: r, exact: r.Key == c.Key}
		m.relation, m.differ = device.Relate(r.capture(), c.Capture)
		if first.record == nil || cmp.Or(m.rank()-first.rank(), cmp.Compare(m.ID, first.ID)) < 0 {
			first = m
		}
	}
	switch {
	case first.record == nil || first.rank() == unrelated:
		return verdict{outcome: device.Accepted}
	case first.State == device.Retired:
		return verdict{outcome: device.Duplicate, code: fault.DeviceRetired, device: first.record}
	case !first.same() && distinct(related) >= device.MaxClaims:
		return verdict{outcome: device.Rejected, code: fault.DeviceEvidenceShared, detail: "Known devices, among others: " + first.ID + "."}
	case !first.same():
		return verdict{
			outcome: device.Conflict, code: conflictCode(first.differ),
			detail: first.relation.Advice(first.differ) + " Known device: " + first.ID + ".",
		}
	}
	v := verdict{device: first.record, same: true, newer: first.relation == device.SameNewer}
	if first.conflict && first.State == device.Held {
		v.outcome, v.code, v.detail = device.Conflict, first.Code, first.Detail
		return v
	}
	v.outcome, v.code, v.detail = device.Duplicate, fault.DeviceDuplicate, first.relation.Advice(first.differ)
	return v
}

func distinct(related []*record) int {
	all := make(map[*record]bool, len(related))
	for _, r := range related {
		all[r] = true
	}
	return len(all)
}

// conflictCode names the field that says most.
func conflictCode(differ []device.Field) fault.Code {
	switch {
	case slices.Contains(differ, device.FieldEKHash):
		return fault.DeviceConflictEK
	case slices.Contains(differ, device.FieldUUID) && !slices.Contains(differ, device.FieldSerial):
		return fault.DeviceConflictUUID
	}
	return fault.DeviceConflictSerial
}

// lacks reports whether the row says something about the device's identity that the device's own capture does not.
func (r *record) lacks(c *intake.Candidate) bool {
	known := r.capture()
	return c.Capture.HasEK() && !known.HasEK() || c.Capture.HasUUID() && !known.HasUUID() || better(c.Kind, r.Kind)
}

// complete adds evidence without taking any away: a later capture that cannot read the TPM does not unlearn its key.
func (r *record) complete(c *intake.Candidate) {
	if c.Capture.HasEK() {
		r.ek = c.Capture.EKHash
	}
	if c.Capture.HasUUID() {
		r.uuid = c.Capture.UUID
	}
	if better(c.Kind, r.Kind) {
		r.Key, r.Kind = c.Key, c.Kind
	}
}

// recapture takes over what the stored capture says.
func (r *record) recapture(c *intake.Candidate) {
	r.complete(c)
	r.Serial, r.Manufacturer, r.Product = c.Capture.Serial, c.Capture.Manufacturer, c.Capture.Product
	r.Captured, r.digest, r.Facts = c.Capture.At, c.Capture.Digest, c.Facts
}

// better orders kinds of evidence.
func better(a, b device.EvidenceKind) bool {
	kinds := []device.EvidenceKind{device.EvidenceTPMEK, device.EvidenceSMBIOSUUID, device.EvidenceSerial}
	return slices.Index(kinds, a) < slices.Index(kinds, b)
}
