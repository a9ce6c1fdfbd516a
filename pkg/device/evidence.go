package device

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"time"

	"taxiway.example/pkg/hwhash"
)

const mask = "[redacted]"

// Evidence is what a capture says about who the device is. As a whole it does not print.
type Evidence struct {
	EKHash       [32]byte // SHA-256 of the TPM endorsement key; zero means none
	UUID         [16]byte // SMBIOS UUID as stored; zero means none
	Manufacturer string
	Product      string
	Serial       Serial
}

// EvidenceOf takes the evidence out of a hash.
func EvidenceOf(s hwhash.Summary) Evidence {
	return Evidence{
		EKHash:       s.RevealEKHash(),
		UUID:         s.RevealUUID(),
		Manufacturer: s.Manufacturer,
		Product:      s.Product,
		Serial:       NewSerial(s.RevealSerial()),
	}
}

// HasEK reports whether the evidence names a TPM endorsement key.
func (e Evidence) HasEK() bool { return e.EKHash != [32]byte{} }

// HasUUID reports whether the UUID can tell devices apart.
func (e Evidence) HasUUID() bool { return !isPlaceholderUUID(e.UUID) }

// HasSerial reports whether manufacturer and serial can tell devices apart.
func (e Evidence) HasSerial() bool {
	return fold(e.Manufacturer) != "" && e.Serial.Placeholder() == hwhash.NoPlaceholder
}

// String returns a mask.
func (Evidence) String() string { return mask }

// GoString returns a mask.
func (Evidence) GoString() string { return mask }

// Format prints a mask, whatever the verb.
func (Evidence) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, mask) }

// LogValue returns a mask.
func (Evidence) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns a mask.
func (Evidence) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON returns a mask.
func (Evidence) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }

// Capture is one capture of a device: who it is, when it was taken, and which bytes said so.
type Capture struct {
	Evidence

	At     time.Time // UTC; zero when the hash does not say
	Digest [32]byte  // hwhash.Hash.Digest; zero when the capture has no hash
}

// CaptureOf takes evidence, time and digest out of a hash.
func CaptureOf(s hwhash.Summary) Capture {
	return Capture{Evidence: EvidenceOf(s), At: s.CapturedAt, Digest: s.Digest()}
}

// newerThan orders captures of one device; captures of the same second are ordered by digest, so that every
// replica decides alike.
func (c Capture) newerThan(other Capture) bool {
	if c.At.Equal(other.At) {
		return bytes.Compare(c.Digest[:], other.Digest[:]) > 0
	}
	return c.At.After(other.At)
}

// placeholderUUIDs are the UUIDs that many boards share, as SMBIOS stores them.
var placeholderUUIDs = [][16]byte{
	{}, // never set
	{
		0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
		0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
	}, // not set, but can be
	{
		0x00, 0x02, 0x00, 0x03, 0x00, 0x04, 0x00, 0x05,
		0x00, 0x06, 0x00, 0x07, 0x00, 0x08, 0x00, 0x09,
	}, // 03000200-0400-0500-0006-000700080009, the default of a widespread firmware
}

func isPlaceholderUUID(uuid [16]byte) bool {
	for _, p := range placeholderUUIDs {
		if uuid == p {
			return true
		}
	}
	return false
}
