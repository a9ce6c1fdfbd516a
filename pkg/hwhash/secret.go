package hwhash

import (
	"strings"
	"unique"
)

// Secret is a text or byte string that does not print: a serial, a product key id, a MAC address, a TPM key.
// Two Secrets with the same content are equal under ==. The zero Secret is empty.
//
// The content sits behind a handle, which is a pointer to a string: even where fmt cannot call methods, in an
// unexported field, it prints an address.
type Secret struct {
	Redacted
	content unique.Handle[string]
}

// NewSecret hides content.
func NewSecret(content string) Secret {
	if content == "" {
		return Secret{}
	}
	// A clone: the handle may outlive the hash that the content was cut from.
	return Secret{content: unique.Make(strings.Clone(content))}
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
