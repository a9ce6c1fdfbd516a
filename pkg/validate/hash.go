package validate

import (
	"errors"
	"fmt"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
)

// OfHash turns an error of hwhash into a code of the catalogue and a sentence that says where.
func OfHash(err error) (fault.Code, string) {
	e, ok := errors.AsType[*hwhash.Error](err)
	switch {
	case !ok:
		return fault.HashMalformed, "The hash could not be read."
	case e.Code == hwhash.CodeEmpty:
		return fault.RowHashMissing, "There is no hash."
	}
	code := hashClass + fault.Code(e.Code)
	if _, known := fault.Lookup(code); !known {
		code = fault.HashMalformed
	}
	return code, fmt.Sprintf("%s (byte %d, after %d whole records)", e.Detail, e.Offset, e.Records)
}

// hashClass prefixes the codes of hwhash in the catalogue.
const hashClass = "hash."

// hashWarnings gives the warnings of a hash as codes; those that stop a row are rules.
func hashWarnings(r Row) []fault.Code {
	var codes []fault.Code
	for w := range r.Hash.WarningsAt(r.Received).All() {
		if code := hashClass + fault.Code(w.String()); code.Kind() == fault.Notice {
			codes = append(codes, code)
		}
	}
	return codes
}
