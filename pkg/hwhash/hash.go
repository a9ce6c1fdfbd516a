package hwhash

import (
	"encoding/base64"
)

// Sizes of the container in bytes, and of its base64 text in characters.
const (
	// WireBytes is the size of the buffer that capture tools write: records, trailer, zero tail. What a large machine
	// has to say, one with eighty network adapters for example, may need more.
	WireBytes = 3000
	// WireChars is the length of the base64 text of WireBytes bytes; it needs no padding.
	WireChars = 4000
	// MaxText is the longest text that Parse reads; a line-broken, quoted hash stays far below it.
	MaxText = 16 << 10
	// MaxRecords is the room for magic and records, in bytes: the text of a hash must not be longer than MaxText.
	MaxRecords = MaxText/4*3 - trailerSize

	headerSize  = 4  // "OA", u16 total
	trailerSize = 36 // "CS", u16 36, SHA-256
)

// Hash is one hardware hash that has been checked: whole, its checksum right, its TPM key the one its
// offline device id names. It is immutable; the zero Hash is empty. It does not print; Wire returns its text.
type Hash struct {
	Redacted
	// canonical is a string because it never changes and can be cut without copying. It sits behind a pointer because
	// fmt prints an address for it even where it cannot call methods, in an unexported field, and with verbs that do
	// not fit; a pointer to a struct it would follow.
	canonical *string
}

// IsZero reports whether h holds nothing.
func (h Hash) IsZero() bool { return h.canonical == nil }

// Equal reports whether both are the same capture, byte by byte. It says nothing about the device:
// two captures of one device differ.
func (h Hash) Equal(other Hash) bool { return h.raw() == other.raw() }

// Canonical returns a copy of the bytes without the zero tail: magic, records, trailer (about 1.2 KB).
func (h Hash) Canonical() []byte { return []byte(h.raw()) }

// Wire returns the base64 text as Microsoft Graph wants it: padded with zero bytes to WireBytes, WireChars characters.
// The longer hash of a large machine is padded to a multiple of three bytes, so that it needs no '=' either. The zero
// Hash gives "".
func (h Hash) Wire() string {
	if h.IsZero() {
		return ""
	}
	const group = 3 // bytes that four characters hold
	var usual [WireBytes]byte
	buf := usual[:]
	raw := h.raw()
	if len(raw) > len(buf) {
		buf = make([]byte, (len(raw)+group-1)/group*group)
	}
	copy(buf, raw)
	return base64.StdEncoding.EncodeToString(buf)
}

// Digest returns the SHA-256 that the trailer carries and that has been checked. It covers magic and records,
// and as the rest of the canonical bytes follows from it, equal digests mean equal captures.
func (h Hash) Digest() [32]byte {
	var sum [32]byte
	raw := h.raw()
	copy(sum[:], raw[max(0, len(raw)-len(sum)):])
	return sum
}

func (h Hash) raw() string {
	if h.canonical == nil {
		return ""
	}
	return *h.canonical
}
