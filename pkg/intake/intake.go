// Package intake is what all ways in have in common: a row as it was sent, before anybody has judged it.
package intake

import (
	"fmt"
	"io"
	"log/slog"

	"taxiway.example/pkg/device"
)

// Row is one device as somebody sent it. Cells are trimmed; what was not sent is empty.
type Row struct {
	Number int     // 1 for the first record after the header
	Line   int     // where the record begins in its file; 0 when there is no file
	Reject *Reject // why the record is no row; nothing else is set then

	Serial       device.Serial
	ProductKeyID device.ProductKeyID
	Hash         RawHash
	Manufacturer string
	Model        string
	GroupTag     string
	User         string
}

// RawHash is the text of a hash that nobody has read yet. It does not print.
type RawHash struct{ text []byte }

// NewRawHash hides text, which must not change afterwards.
func NewRawHash(text []byte) RawHash { return RawHash{text} }

// Reveal returns the text; the caller must not change it.
func (h RawHash) Reveal() []byte { return h.text }

const mask = "[redacted]"

// String returns a mask.
func (RawHash) String() string { return mask }

// Format prints a mask, whatever the verb.
func (RawHash) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, mask) }

// LogValue returns a mask.
func (RawHash) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns a mask.
func (RawHash) MarshalText() ([]byte, error) { return []byte(mask), nil }
