package device

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"taxiway.example/pkg/hwhash"
)

const mask = "[redacted]"

// Identifiers are what a capture says about who the device is. As a whole they do not print.
type Identifiers struct {
	EKHash       [32]byte // SHA-256 of the TPM endorsement key; zero means none
	UUID         [16]byte // SMBIOS UUID as stored; zero means none
	Manufacturer string
	Product      string
	Serial       Serial
	Components   []hwhash.Component // of disks and network adapters; only where the serial number is a placeholder
}

// IdentifiersOf takes the identifiers out of a hash.
func IdentifiersOf(s hwhash.Summary) Identifiers {
	i := Identifiers{
		EKHash:       s.RevealEKHash(),
		UUID:         s.RevealUUID(),
		Manufacturer: s.Manufacturer,
		Product:      s.Product,
		Serial:       NewSerial(s.RevealSerial()),
	}
	if !i.HasSerial() {
		i.Components = s.Components()
	}
	return i
}

// HasEK reports whether there is a TPM endorsement key.
func (i Identifiers) HasEK() bool { return i.EKHash != [32]byte{} }

// HasUUID reports whether the UUID is no placeholder.
func (i Identifiers) HasUUID() bool { return i.uuid() == hwhash.NoPlaceholder }

// HasSerial reports whether there is a manufacturer, and a serial number that is no placeholder.
func (i Identifiers) HasSerial() bool { return i.serial() == hwhash.NoPlaceholder }

func (i Identifiers) uuid() hwhash.Placeholder { return hwhash.UUIDPlaceholder(i.UUID) }

// serial is the strength of the serial number; without a manufacturer it names no device.
func (i Identifiers) serial() hwhash.Placeholder {
	if fold(i.Manufacturer) == "" {
		return hwhash.Listed
	}
	return hwhash.SerialPlaceholder(i.Serial.Reveal())
}

// maker is the first word of the manufacturer: a maker that renames itself in the firmware ("HP", "HP Inc.") stays one.
func (i Identifiers) maker() string {
	first, _, _ := strings.Cut(fold(i.Manufacturer), " ")
	return strings.TrimRight(first, ".,")
}

// sameMaker reports whether both name one maker.
func (i Identifiers) sameMaker(other Identifiers) bool {
	return i.maker() != "" && i.maker() == other.maker()
}

// sharesComponent reports whether both name one disk or network adapter.
func (i Identifiers) sharesComponent(other Identifiers) bool {
	return slices.ContainsFunc(i.Components, func(c hwhash.Component) bool { return slices.Contains(other.Components, c) })
}

// String returns a mask.
func (Identifiers) String() string { return mask }

// GoString returns a mask.
func (Identifiers) GoString() string { return mask }

// Format prints a mask, whatever the verb.
func (Identifiers) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, mask) }

// LogValue returns a mask.
func (Identifiers) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns a mask.
func (Identifiers) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON returns a mask.
func (Identifiers) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }
