package hwhash

import (
	"fmt"
	"io"
	"log/slog"
)

// Mask is what every redacted value prints.
const Mask = "[redacted]"

// Redacted makes the struct that embeds it print a mask, whatever formatting verb, logger or encoder prints it. It
// takes no room and compares equal. A struct that embeds such a struct prints the mask in its turn.
type Redacted struct{}

// String returns the mask.
func (Redacted) String() string { return Mask }

// GoString returns the mask.
func (Redacted) GoString() string { return Mask }

// Format prints the mask, whatever the verb.
func (Redacted) Format(w fmt.State, _ rune) {
	// fmt.State keeps what it is given in memory; there is no error to handle.
	_, _ = io.WriteString(w, Mask)
}

// LogValue returns the mask.
func (Redacted) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalText returns the mask, so that XML and map keys hold one too.
func (Redacted) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// MarshalJSON returns the mask.
func (Redacted) MarshalJSON() ([]byte, error) { return []byte(`"` + Mask + `"`), nil }
