package devicelist

import (
	"slices"
	"unique"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
)

// known is the devices of the rows so far, findable by the evidence that a later row may share with them. It decides as the
// ledger does (pkg/ledger, Acceptor); a test holds the two together.
type known struct {
	byKey    map[device.Key][]*seen
	bySerial map[string][]*seen
	byUUID   map[[16]byte][]*seen
	count    int
}

// seen is a device of an earlier row. A held one is the conflicting story about another.
type seen struct {
	place   Place
	order   int
	held    bool
	code    fault.Code // why it is held
	detail  string
	against *Place

	key     device.Key
	kind    device.EvidenceKind
	capture device.Capture
}

type verdict struct {
	outcome device.RowOutcome
	code    fault.Code
	detail  string
	earlier *Place
}

func newKnown() known {
	return known{byKey: map[device.Key][]*seen{}, bySerial: map[string][]*seen{}, byUUID: map[[16]byte][]*seen{}}
}

// match is an earlier device with its relation to a row.
type match struct {
	*seen

	relation device.Relation
	differ   []device.Field
	exact    bool // the same key
}

// same reports whether it is the row's device. A key that the evidence does not confirm is still the key.
func (m match) same() bool {
	return m.relation != device.Contradicts && (m.relation != device.Unrelated || m.exact && !m.held)
}

const unrelated = 8

// rank orders matches by how much they say about the row.
func (m match) rank() int {
	held := 0
	if m.held {
		held = 1
	}
	switch {
	case m.same() && m.exact:
		return held
	case m.exact && !m.held: // one key, two stories
		return 3
	case m.same():
		return 4 + held
	case m.relation == device.Contradicts:
		return 7
	}
	return unrelated
}

// take decides a row and remembers its device.
func (k *known) take(at Place, c intake.Candidate) verdict {
	m := k.closest(c)
	switch {
	case m.seen == nil || m.rank() == unrelated:
		k.add(at, c, verdict{})
		return verdict{outcome: device.Accepted}
	case !m.same() && k.claims(c) >= device.MaxClaims:
		return verdict{outcome: device.Rejected, code: fault.DeviceEvidenceShared}
	case !m.same():
		v := verdict{device.Conflict, conflictCode(m.differ), m.relation.Advice(m.differ), &m.place}
		k.add(at, c, v)
		return v
	}
	m.learn(c, m.relation == device.SameNewer)
	k.index(m.seen)
	if m.held {
		return verdict{device.Conflict, m.code, m.detail, m.against}
	}
	v := verdict{device.Duplicate, fault.RowDuplicateInFile, m.relation.Advice(m.differ), &m.place}
	if m.place.File != at.File {
		v.code = fault.DeviceDuplicate
	}
	return v
}

// closest returns the match that says most about a row.
func (k *known) closest(c intake.Candidate) match {
	var first match
	for _, s := range k.related(c) {
		m := match{seen: s, exact: s.key == c.Key}
		m.relation, m.differ = device.Relate(s.capture, c.Capture)
		if first.seen == nil || m.rank() < first.rank() || m.rank() == first.rank() && m.order < first.order {
			first = m
		}
	}
	return first
}

func (k *known) related(c intake.Candidate) []*seen {
	all := slices.Clone(k.byKey[c.Key])
	if c.Capture.HasSerial() {
		all = append(all, k.bySerial[c.Capture.Serial.Fold()]...)
	}
	if c.Capture.HasUUID() {
		all = append(all, k.byUUID[c.Capture.UUID]...)
	}
	return all
}

// claims counts the devices that share evidence with a row.
func (k *known) claims(c intake.Candidate) int {
	all := map[*seen]bool{}
	for _, s := range k.related(c) {
		all[s] = true
	}
	return len(all)
}

// add remembers a new device. Its names are cut from the hash, which they must not keep alive.
func (k *known) add(at Place, c intake.Candidate, v verdict) {
	k.count++
	c.Capture.Manufacturer, c.Capture.Product = unique.Make(c.Capture.Manufacturer).Value(), unique.Make(c.Capture.Product).Value()
	k.index(&seen{
		place: at, order: k.count, held: v.outcome == device.Conflict, code: v.code, detail: v.detail, against: v.earlier,
		key: c.Key, kind: c.Kind, capture: c.Capture,
	})
}

func (k *known) index(s *seen) {
	k.byKey[s.key] = with(k.byKey[s.key], s)
	if s.capture.HasSerial() {
		k.bySerial[s.capture.Serial.Fold()] = with(k.bySerial[s.capture.Serial.Fold()], s)
	}
	if s.capture.HasUUID() {
		k.byUUID[s.capture.UUID] = with(k.byUUID[s.capture.UUID], s)
	}
}

func with(list []*seen, s *seen) []*seen {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// learn takes evidence that the device lacked, and what a newer capture says, without unlearning what that one cannot read.
func (s *seen) learn(c intake.Candidate, newer bool) {
	has, gets := &s.capture, c.Capture
	better := slices.Index(kinds, c.Kind) < slices.Index(kinds, s.kind)
	if lacks := gets.HasEK() && !has.HasEK() || gets.HasUUID() && !has.HasUUID() || better; !newer && !lacks {
		return
	}
	if gets.HasEK() {
		has.EKHash = gets.EKHash
	}
	if gets.HasUUID() {
		has.UUID = gets.UUID
	}
	if better {
		s.key, s.kind = c.Key, c.Kind
	}
	if newer {
		has.Serial, has.Manufacturer, has.Product = gets.Serial, unique.Make(gets.Manufacturer).Value(), unique.Make(gets.Product).Value()
		has.At, has.Digest = gets.At, gets.Digest
	}
}

// kinds are the kinds of evidence, best first.
var kinds = []device.EvidenceKind{device.EvidenceTPMEK, device.EvidenceSMBIOSUUID, device.EvidenceSerial}

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
