package hwhash

import (
	"errors"
)

// Decode reads every record of the hash. The only error is CodeEmpty, for the zero Hash.
func Decode(h Hash) (Report, error) {
	if h.IsZero() {
		return Report{}, fail(CodeEmpty, 0, 0, "There is no hash.")
	}
	return read(h.raw()), nil
}

// Inspect reads what is left of a damaged hash, for people to look at. The Report holds every whole record before the
// damage; the error is what Parse returns for text. Nothing may rely on a Report that comes with an error: its checksum
// has not been confirmed.
func Inspect(text string) (Report, error) {
	decoded, err := decodeText(make([]byte, WireBytes), []byte(text))
	if err != nil {
		return Report{}, err
	}
	_, err = check(decoded)
	if errors.Is(err, &Error{Code: CodeNoMagic}) {
		return Report{}, err
	}
	return read(string(decoded)), err
}

func read(raw string) Report {
	var r Report
	var seen sightings
	for t, p := range spans(raw) {
		seen.note(t)
		value := raw[p.off : p.off+p.n]
		if seen.again || !readField(&r, t, value) {
			r.Other = append(r.Other, Record{t, NewSecret(value)})
		}
	}
	return r
}

// readField reports whether r has a field for the value.
func readField(r *Report, t Type, value string) bool {
	return int(t) < len(codecOf) && codecOf[t] != nil && codecOf[t].read(r, value)
}
