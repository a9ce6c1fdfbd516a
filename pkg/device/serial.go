package device

import (
	"strings"

	"taxiway.example/pkg/hwhash"
)

// Serial is the serial number of a device without its outer blanks. It does not print; Reveal returns it.
// Serials are comparable with ==, which is exact; Fold is what says whether two of them mean the same device.
type Serial struct{ hwhash.Secret }

// NewSerial hides serial, trimmed.
func NewSerial(serial string) Serial {
	return Serial{hwhash.NewSecret(strings.TrimSpace(serial))}
}

// Fold returns the form that comparison uses: trimmed and case folded. Dashes and inner blanks are part of a serial.
func (s Serial) Fold() string { return fold(s.Reveal()) }

// Same reports whether both mean the same serial number.
func (s Serial) Same(other Serial) bool { return s == other || s.Fold() == other.Fold() }

// Equal reports whether both are identical; it serves packages that compare by method.
func (s Serial) Equal(other Serial) bool { return s == other }

// ProductKeyID is the id of the device's Windows product key. It can register the device and is
// therefore a secret: it does not print; Reveal returns it.
type ProductKeyID struct{ hwhash.Secret }

// NewProductKeyID hides id, trimmed.
func NewProductKeyID(id string) ProductKeyID {
	return ProductKeyID{hwhash.NewSecret(strings.TrimSpace(id))}
}

// Equal reports whether both are identical; it serves packages that compare by method.
func (p ProductKeyID) Equal(other ProductKeyID) bool { return p == other }

// Placeholder reports whether the serial is a value that firmware puts into many machines; hwhash.Listed when there is
// none.
func (s Serial) Placeholder() hwhash.Placeholder { return hwhash.SerialPlaceholder(s.Reveal()) }

// fold makes texts comparable. Upper case first, so that letters with two lower-case forms meet.
func fold(s string) string { return strings.ToLower(strings.ToUpper(strings.TrimSpace(s))) }
