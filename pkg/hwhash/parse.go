package hwhash

import (
	"encoding/base64"
	"strings"
)

// Parse reads the text of a hash and checks it. It tolerates what copying does to a hash: white space and line
// breaks, a byte order mark, quotes, a "Hardware Hash:" label, missing padding and a cut zero tail. Inside it forgives
// nothing. The error is an *Error.
//
// Format: no public specification; docs/hardware-hash.md. Source of the value: Microsoft, "DevDetail CSP",
// Ext/DeviceHardwareData.
func Parse(text string) (Hash, error) { return parse([]byte(text)) }

// ParseBytes is Parse for a text that is at hand as bytes. It keeps no reference to text.
func ParseBytes(text []byte) (Hash, error) { return parse(text) }

// FromCanonical checks decoded bytes, with or without their zero tail. It keeps no reference to raw.
// The error is an *Error.
func FromCanonical(raw []byte) (Hash, error) {
	n, err := check(raw)
	if err != nil {
		return Hash{}, err
	}
	return newHash(raw, n), nil
}

// parse must not let text escape or change it: then the conversion in Parse copies nothing.
func parse(text []byte) (Hash, error) {
	// The usual hash fits here and stays on the stack.
	var buf [WireBytes]byte
	raw, err := decodeText(buf[:], text)
	if err != nil {
		return Hash{}, err
	}
	n, err := check(raw)
	if err != nil {
		return Hash{}, err
	}
	return newHash(raw, n), nil
}

// decodeText decodes a clean text into buf if it fits, and any other into a buffer of its own.
func decodeText(buf, text []byte) ([]byte, error) {
	if len(text)%4 == 0 && len(text) <= base64.StdEncoding.EncodedLen(len(buf)) && len(text) > 0 {
		if n, err := base64.StdEncoding.Decode(buf, text); err == nil {
			return buf[:n], nil
		}
	}
	return decodeNoisy(text)
}

// newHash copies the first n bytes of raw, with zeros appended if raw is shorter.
func newHash(raw []byte, n int) Hash {
	var canonical string
	if missing := n - len(raw); missing > 0 {
		canonical = string(raw) + strings.Repeat("\x00", missing)
	} else {
		canonical = string(raw[:n])
	}
	return Hash{canonical: &canonical}
}
