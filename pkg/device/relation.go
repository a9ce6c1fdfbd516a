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
	Contradicts Relation = "conflict"     // the identifiers contradict one another; a person must decide
	Unrelated   Relation = "unrelated"    // two devices
)

// Field is an identifier in which two captures differ.
type Field string

// The fields, in the order Relate lists them.
const (
	FieldEKHash       Field = "ek_hash"
	FieldUUID         Field = "uuid"
	FieldSerial       Field = "serial"
	FieldManufacturer Field = "manufacturer"
	FieldProduct      Field = "product"
)

// Relate compares two captures and lists the fields that both have and that differ. A value that is a placeholder of
// the firmware neither joins nor parts two captures.
//
//   - Same TPM key: one device, unless the serial number or the UUID is another: a contradiction.
//   - Another TPM key: two devices, unless maker and serial number are the same: a contradiction.
//   - Same UUID, and a TPM key in at most one of them: one device if maker and serial number are the same, or if both
//     serial numbers are placeholders and a disk or network adapter is the same; otherwise a contradiction.
//   - Without a UUID to compare, maker and serial number decide; another product with them is a contradiction.
//   - Of two captures with nothing but suspected values, the same values are a contradiction unless the bytes are the
//     same.
//
// Captures can be of one device although their keys differ, when one lacks the TPM key that the other has. Relate is
// symmetric but for SameNewer and SameOlder, which change places.
func Relate(known, incoming Capture) (Relation, []Field) {
	m := relate(known, incoming, doubt{})
	return m.relation, m.differ
}

// doubt says which values of a candidate the known devices show to be placeholders although no list or rule does.
type doubt struct{ serial, uuid bool }

// kinship is a relation with what it rests on.
type kinship struct {
	relation Relation
	by       KeyKind // the identifier that joins the two
	differ   []Field
}

func relate(known, incoming Capture, d doubt) kinship {
	c := compare(known.Identifiers, incoming.Identifiers, d)
	k := kinship{differ: c.differ}
	switch {
	case known.sameBytes(incoming):
		return kinship{relation: SameCapture, by: KeyTPMEK}
	case c.contradicts():
		k.relation = Contradicts
	case c.joinedBy() == "":
		k.relation = Unrelated
	case incoming.newerThan(known):
		k.relation = SameNewer
		k.by = c.joinedBy()
	case known.newerThan(incoming):
		k.relation = SameOlder
		k.by = c.joinedBy()
	default:
		k.relation = SameCapture
		k.by = c.joinedBy()
	}
	return k
}

// comparison is what two captures have in common and what not; both are false where a value is missing or a
// placeholder.
type comparison struct {
	sameEK, otherEK         bool
	sameUUID, otherUUID     bool
	sameSerial, otherSerial bool // same: of one maker
	otherProduct            bool
	noSerials, sameParts    bool // both serial numbers are placeholders; a disk or network adapter is the same
	sameSuspects            bool // of two with nothing but suspected values, or of one and a device of the same parts
	differ                  []Field
}

func compare(a, b Identifiers, d doubt) comparison {
	eks := a.HasEK() && b.HasEK()
	uuids := a.HasUUID() && b.HasUUID() && !d.uuid
	serialB := b.HasSerial() && !d.serial
	serialA := a.HasSerial() && (!d.serial || !a.Serial.Same(b.Serial)) // a doubtful value is doubtful on both sides
	serials := serialA && serialB
	otherText := func(x, y string) bool { return fold(x) != "" && fold(y) != "" && fold(x) != fold(y) }
	c := comparison{
		sameEK: eks && a.EKHash == b.EKHash, otherEK: eks && a.EKHash != b.EKHash,
		sameUUID: uuids && a.UUID == b.UUID, otherUUID: uuids && a.UUID != b.UUID,
		sameSerial: serials && a.Serial.Same(b.Serial) &&
			a.sameMaker(b), otherSerial: serials && !a.Serial.Same(b.Serial),
		otherProduct: otherText(a.Product, b.Product),
		noSerials:    !serialA && !serialB,
		sameParts:    a.sharesComponent(b),
	}
	c.sameSuspects = a.nothingReal() && b.hasSuspectsOf(a) && (b.nothingReal() || c.sameParts) ||
		b.nothingReal() && a.hasSuspectsOf(b) && c.sameParts
	for _, f := range []struct {
		field  Field
		differ bool
	}{
		{FieldEKHash, c.otherEK},
		{FieldUUID, c.otherUUID},
		{FieldSerial, c.otherSerial},
		{FieldManufacturer, otherText(a.Manufacturer, b.Manufacturer)},
		{FieldProduct, c.otherProduct},
	} {
		if f.differ {
			c.differ = append(c.differ, f.field)
		}
	}
	return c
}

func (c comparison) contradicts() bool {
	switch {
	case c.sameEK:
		return c.otherSerial || c.otherUUID
	case c.otherEK:
		return c.sameSerial
	case c.sameUUID:
		sameMachine := c.noSerials && c.sameParts
		return !c.sameSerial && !sameMachine
	case c.sameSerial:
		return c.otherUUID || c.otherProduct
	}
	return c.sameSuspects
}

// joinedBy returns what joins two captures that do not contradict one another, "" for nothing.
func (c comparison) joinedBy() KeyKind {
	switch {
	case c.sameEK:
		return KeyTPMEK
	case c.otherEK:
		return ""
	case c.sameUUID:
		return KeySMBIOSUUID
	case c.sameSerial:
		return KeySerial
	}
	return ""
}

// nothingReal reports whether everything that could name the device is a placeholder.
func (i Identifiers) nothingReal() bool { return !i.HasEK() && !i.HasUUID() && !i.HasSerial() }

// hasSuspectsOf reports whether the suspected values of other are here, too, and there are any.
func (i Identifiers) hasSuspectsOf(other Identifiers) bool {
	uuid, serial := other.suspected()
	return (uuid != "" || serial != "") && (uuid == "" || i.UUID == other.UUID) &&
		(serial == "" || i.Serial.Same(other.Serial) && i.sameMaker(other))
}

// comparable reports whether a value can say anything about two devices.
func comparable(strength hwhash.Placeholder) bool { return strength != hwhash.Listed }

// ComparesSerial reports whether devices with the same serial number have to be looked at.
func (i Identifiers) ComparesSerial() bool { return comparable(i.serial()) }

// ComparesUUID reports whether devices with the same UUID have to be looked at.
func (i Identifiers) ComparesUUID() bool { return comparable(i.uuid()) }

// Advice says what a person can do about a relation whose fields differ.
func (r Relation) Advice(differ []Field) string {
	if r != Contradicts {
		return relationAdvice[r]
	}
	for _, a := range contradictionAdvice {
		if slices.Contains(differ, a.field) {
			return a.text
		}
	}
	return "Nothing tells this device from the known one for certain: no TPM, and a placeholder for a serial number. " +
		"If it is the " +
		"same device, retire this one; if it is another one, capture it in the full OS, where its TPM can be read, and " +
		"send it again."
}
