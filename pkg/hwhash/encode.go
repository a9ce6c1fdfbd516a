package hwhash

import (
	"errors"
	"fmt"
)

// ErrReport means that a Report holds what a hash cannot: a text with a NUL, a time before 2000, a MAC address that
// is not 6 bytes.
var ErrReport = errors.New("the report holds what a hardware hash cannot")

// Encode writes a hash. Decode(Encode(r)) gives r again, if r.Other holds only records that have no field in a Report.
// The error wraps ErrReport, or is an *Error: CodeTooLarge if the records do not fit, CodeEKMismatch if the offline
// device id is not that of the TPM key (see Report.SetEK).
func Encode(r Report) (Hash, error) {
	var unwritable error
	framed, err := frame(func(yield func(Type, string) bool) {
		for _, c := range codecs {
			values, ok := c.write(&r)
			if !ok {
				unwritable = fmt.Errorf("record %d: %w", c.t, ErrReport)
				return
			}
			for _, v := range values {
				if !yield(c.t, v) {
					return
				}
			}
		}
		for _, other := range r.Other {
			if !yield(other.Type, other.Value.Reveal()) {
				return
			}
		}
	})
	if err := errors.Join(unwritable, err); err != nil {
		return Hash{}, err
	}
	return FromCanonical(framed)
}
