package hwhash

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unique"
)

// mask is what every redacted value prints.
const mask = "[redacted]"

// Secret is a text or byte string that does not print: a serial, a product key id, a MAC address, a TPM key.
// Two Secrets with the same content are equal under ==. The zero Secret is empty.
//
// The content sits behind a handle, which is a pointer to a string: even where fmt cannot call methods, in an unexported
// field, it prints an address.
type Secret struct{ content unique.Handle[string] }

// NewSecret hides content.
func NewSecret(content string) Secret {
	if content == "" {
		return Secret{}
	}
	// A clone: the handle may outlive the hash that the content was cut from.
	return Secret{unique.Make(strings.Clone(content))}
}

// Reveal returns the content.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.content.Value()
}

// IsZero reports whether s is empty.
func (s Secret) IsZero() bool { return s == Secret{} }

// Equal reports whether both have the same content; it serves packages that compare by method.
func (s Secret) Equal(other Secret) bool { return s == other }

// String returns a mask.
func (Secret) String() string { return mask }

// GoString returns a mask.
func (Secret) GoString() string { return mask }

// Format prints a mask, whatever the verb.
func (Secret) Format(w fmt.State, _ rune) { redact(w) }

// LogValue returns a mask.
func (Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns a mask, so that JSON, XML and map keys hold one too.
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON returns a mask.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }

func redact(w fmt.State) {
	// fmt.State keeps what it is given in memory; there is no error to handle.
	_, _ = io.WriteString(w, mask)
}
