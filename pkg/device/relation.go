package device

import (
	"slices"

	"taxiway.example/pkg/hwhash"
)

// Relation is how an incoming capture stands to a known one.
type Relation string

// The relations.
const (
	SameNewer   Relation = "same_newer"   // the same device, captured later: keep the incoming capture
	SameOlder   Relation = "same_older"   // the same device, captured earlier: keep the known capture
	SameCapture Relation = "same_capture" // the same bytes again
	Contradicts Relation = "conflict"     // the evidence contradicts itself; a person must decide
	Unrelated   Relation = "unrelated"    // two devices
)

// Field is a piece of evidence in which two captures differ.
type Field string

// The fields, in the order Relate lists them.
const (
	FieldEKHash       Field = "ek_hash"
	FieldUUID         Field = "uuid"
	FieldSerial       Field = "serial"
	FieldManufacturer Field = "manufacturer"
	FieldProduct      Field = "product"
)

// MaxClaims is how many devices may contradict one another by one serial number or UUID. What comes after them is refused: more
// than that is a filler of the firmware, and no person would compare them.
const MaxClaims = 20

// Relate compares two captures and lists the fields that both have and that differ. What one of them lacks, or fills
// with a placeholder, neither joins nor parts them.
//
//   - Same TPM key and another serial, or same manufacturer and serial and another TPM key or another UUID: Conflict.
//   - The same holds for the UUID when one of the captures has no TPM key.
//   - Without either, manufacturer and serial decide; another product under the same serial is a Conflict.
//
// Captures can be the same device although their keys differ, when one lacks the TPM key that the other has.
// Relate is symmetric but for SameNewer and SameOlder, which change places.
func Relate(known, incoming Capture) (Relation, []Field) {
	a, b := known.Evidence, incoming.Evidence
	differ := differences(a, b)
	relation := match(a, b, differ)
	switch {
	case relation != SameCapture:
	case incoming.newerThan(known):
		relation = SameNewer
	case known.newerThan(incoming):
		relation = SameOlder
	}
	return relation, differ
}

// match decides whether two captures are one device, which it answers with SameCapture.
func match(a, b Evidence, differ []Field) Relation {
	has := func(f Field) bool { return slices.Contains(differ, f) }
	sameSerial := a.HasSerial() && b.HasSerial() && !has(FieldSerial) && !has(FieldManufacturer)
	bothEK, bothUUID := a.HasEK() && b.HasEK(), a.HasUUID() && b.HasUUID()
	sameBoard := bothEK && !has(FieldEKHash) || !bothEK && bothUUID && !has(FieldUUID)

	switch {
	case sameSerial && (has(FieldEKHash) || has(FieldUUID)):
		return Contradicts
	case sameBoard && has(FieldSerial):
		return Contradicts
	case sameBoard:
		return SameCapture
	case sameSerial && has(FieldProduct):
		return Contradicts
	case sameSerial:
		return SameCapture
	}
	return Unrelated
}

// differences lists the fields that both have and that differ.
func differences(a, b Evidence) []Field {
	var differ []Field
	add := func(f Field, differs bool) {
		if differs {
			differ = append(differ, f)
		}
	}
	otherText := func(x, y string) bool { return fold(x) != "" && fold(y) != "" && fold(x) != fold(y) }
	usable := func(e Evidence) bool { return e.Serial.Placeholder() == hwhash.NoPlaceholder }
	add(FieldEKHash, a.HasEK() && b.HasEK() && a.EKHash != b.EKHash)
	add(FieldUUID, a.HasUUID() && b.HasUUID() && a.UUID != b.UUID)
	add(FieldSerial, usable(a) && usable(b) && !a.Serial.Same(b.Serial))
	add(FieldManufacturer, otherText(a.Manufacturer, b.Manufacturer))
	add(FieldProduct, otherText(a.Product, b.Product))
	return differ
}

// Advice says what a person can do about a relation whose fields differ.
func (r Relation) Advice(differ []Field) string {
	if r != Contradicts {
		return relationAdvice[r]
	}
	switch {
	case slices.Contains(differ, FieldEKHash):
		return "Same serial, another TPM: the board was replaced, or the TPM was. If so, retire the known device and register this one; " +
			"if both devices exist, one of them carries the other's serial: correct it in the firmware and capture again."
	case slices.Contains(differ, FieldSerial):
		return "Same board, another serial: the board moved into another case, or the serial was rewritten. Retire the known device " +
			"and register this one. Of two virtual machines, one is a clone: give it its own TPM and UUID and capture again."
	case slices.Contains(differ, FieldUUID):
		return "Same serial, another UUID: the board was replaced, or the firmware was reset. If it is the same case, retire the known device and register this one."
	}
	return "Same manufacturer and serial, another product: the firmware was rewritten, or two devices share a serial. " +
		"Compare both with their labels, then retire the known device or correct the serial and capture again."
}

// relationAdvice is Advice for what is no conflict.
var relationAdvice = map[Relation]string{
	SameNewer:   "The same device, captured later. The later capture is kept; nothing to do.",
	SameOlder:   "The same device, captured earlier. The known capture is kept; nothing to do.",
	SameCapture: "The same capture again; nothing to do.",
	Unrelated:   "Another device.",
}
