package device

import (
	"bytes"
	"time"

	"taxiway.example/pkg/hwhash"
)

// Capture is one capture of a device: who it is, when it was taken, and which bytes said so.
type Capture struct {
	Identifiers

	CapturedAt time.Time // UTC; zero when the hash does not say
	Digest     [32]byte  // hwhash.Hash.Digest; zero when the capture has no hash
}

// CaptureOf takes identifiers, time and digest out of a hash.
func CaptureOf(s hwhash.Summary) Capture {
	return Capture{Identifiers: IdentifiersOf(s), CapturedAt: s.CapturedAt, Digest: s.Digest()}
}

// newerThan orders captures of one device; captures of the same second are ordered by digest, so that every
// replica decides alike.
func (c Capture) newerThan(other Capture) bool {
	if c.CapturedAt.Equal(other.CapturedAt) {
		return bytes.Compare(c.Digest[:], other.Digest[:]) > 0
	}
	return c.CapturedAt.After(other.CapturedAt)
}

// sameBytes reports whether both are one hash.
func (c Capture) sameBytes(other Capture) bool {
	return c.Digest == other.Digest && c.Digest != [32]byte{}
}
