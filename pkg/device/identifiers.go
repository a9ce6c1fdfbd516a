package device

import (
	"slices"
	"strings"

	"taxiway.example/pkg/hwhash"
)

// Identifiers are what a capture says about who the device is. As a whole they do not print.
type Identifiers struct {
	hwhash.Redacted

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
	return slices.ContainsFunc(
		i.Components,
		func(c hwhash.Component) bool { return slices.Contains(other.Components, c) },
	)
}
