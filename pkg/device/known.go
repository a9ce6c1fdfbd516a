package device

import (
	"slices"
	"unique"
)

// Index is known devices, findable by the identifiers that a candidate may share with them.
type Index struct {
	byKey    map[Key][]*Known
	bySerial map[string][]*Known
	byUUID   map[[16]byte][]*Known
}

// NewIndex returns an empty index.
func NewIndex() *Index {
	return &Index{byKey: map[Key][]*Known{}, bySerial: map[string][]*Known{}, byUUID: map[[16]byte][]*Known{}}
}

// Add makes a device findable by what it is known by now. A device whose identifiers have changed is added again.
func (x *Index) Add(k *Known) {
	x.byKey[k.Key] = with(x.byKey[k.Key], k)
	if k.ComparesSerial() && !k.Crowded.Serial {
		x.bySerial[k.Serial.Fold()] = with(x.bySerial[k.Serial.Fold()], k)
	}
	if k.ComparesUUID() && !k.Crowded.UUID {
		x.byUUID[k.UUID] = with(x.byUUID[k.UUID], k)
	}
}

// KeyOfCapture returns the key under which a candidate is kept whose own key MaxClaims devices have, and reports
// whether they do.
func (x *Index) KeyOfCapture(c Candidate) (Key, bool) {
	if len(x.byKey[c.Key]) < MaxClaims {
		return "", false
	}
	return c.Key.ofCapture(c.Capture), true
}

func with(list []*Known, k *Known) []*Known {
	if slices.Contains(list, k) {
		return list
	}
	return append(list, k)
}

// Decide is Decide with the devices of the index.
func (x *Index) Decide(c Candidate) Decision { return Decide(c, x.sharing(c)) }

// sharing returns the devices that share an identifier with the candidate, some of them twice.
func (x *Index) sharing(c Candidate) []*Known {
	known := slices.Clone(x.byKey[c.Key])
	if key, claimed := x.KeyOfCapture(c); claimed {
		known = append(known, x.byKey[key]...)
	}
	if c.Capture.ComparesSerial() {
		known = append(known, x.bySerial[c.Capture.Serial.Fold()]...)
	}
	if c.Capture.ComparesUUID() {
		known = append(known, x.byUUID[c.Capture.UUID]...)
	}
	return known
}

// Learn takes over what the capture of another row of this device says: the whole capture when it is the later one, and
// otherwise the identifiers that the device lacked. A placeholder never replaces a real value, and a capture that
// cannot read the TPM does not remove its key. It reports whether anything is another now.
func (k *Known) Learn(c Candidate, newer bool) bool {
	before := k.Identifiers
	k.learn(c.Capture.Identifiers, newer)
	if c.Kind.betterThan(k.Kind) {
		k.Key = c.Key
		k.Kind = c.Kind
	}
	if newer {
		k.CapturedAt = c.Capture.CapturedAt
		k.Digest = c.Capture.Digest
	}
	return newer || k.EKHash != before.EKHash || k.UUID != before.UUID || k.Serial != before.Serial
}

func (k *Known) learn(from Identifiers, newer bool) {
	has := k.Identifiers
	if from.HasEK() {
		k.EKHash = from.EKHash
	}
	if from.uuid() < has.uuid() || newer && from.uuid() == has.uuid() {
		k.UUID = from.UUID
	}
	if from.serial() < has.serial() || newer && from.serial() == has.serial() {
		k.Serial = from.Serial
	}
	if !newer {
		return
	}
	if from.Manufacturer != "" {
		// The names of many devices are few texts; a name cut from a hash would keep all of the hash in memory.
		k.Manufacturer = unique.Make(from.Manufacturer).Value()
	}
	if from.Product != "" {
		k.Product = unique.Make(from.Product).Value()
	}
	if len(from.Components) > 0 {
		k.Components = from.Components
	}
}
