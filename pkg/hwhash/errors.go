package hwhash

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Code is the stable name of what is wrong with a hash. Elsewhere it is prefixed: "hash." + Code.
type Code string

// The codes.
const (
	CodeEmpty            Code = "empty"             // nothing was given
	CodeTooLarge         Code = "too_large"         // more text than MaxText, or more records than such a text holds
	CodeNotBase64        Code = "not_base64"        // a character or padding that base64 does not have
	CodeNoMagic          Code = "no_magic"          // does not begin with "OA"
	CodeTruncated        Code = "truncated"         // ends before the length it states
	CodeChecksumMissing  Code = "checksum_missing"  // the records are whole, the trailer is not
	CodeChecksumMismatch Code = "checksum_mismatch" // the SHA-256 is not that of the records
	CodeTrailingData     Code = "trailing_data"     // something other than zeros behind the trailer
	CodeBadRecord        Code = "bad_record"        // a record runs past the end of the records
	CodeEKMismatch       Code = "ek_mismatch"       // the TPM key is not the one the offline device id names
)

// advice is what a technician does about a code.
var advice = map[Code]string{
	CodeEmpty: "Fill in the hash: capture it with Get-WindowsAutoPilotInfo or oa3tool.",
	CodeTooLarge: "No machine has so much to say: a hash has 4000 characters, that of a large machine some " +
		"more. Check whether a whole file ended up in one cell.",
	CodeNotBase64: "A character was changed on the way (by hand, by OCR, by a spreadsheet). Copy the value " +
		"again from its source.",
	CodeNoMagic: "This is another value: check whether columns were swapped. A hash begins with \"T0\".",
	CodeTruncated: "The end is missing, often because a field, a column or an editor cut it. Export it again " +
		"without a length limit.",
	CodeChecksumMissing: "The end is missing, often because a field, a column or an editor cut it. Export it again " +
		"without a length limit.",
	CodeChecksumMismatch: "The hash was damaged or edited after the capture. Capture the device again.",
	CodeTrailingData:     "Something follows the hash, often a second hash in the same cell. Give each hash its own row.",
	CodeBadRecord: "The tool that wrote this hash is faulty. Capture the device again with " +
		"Get-WindowsAutoPilotInfo or oa3tool.",
	CodeEKMismatch: "The hash was put together from two devices. Capture the device again.",
}

// Codes returns all codes, sorted.
func Codes() []Code { return slices.Sorted(maps.Keys(advice)) }

// Advice says what a technician does about it.
func (c Code) Advice() string { return advice[c] }

// Error says what is wrong with a hash, and where. It never holds a part of the hash.
type Error struct {
	Code Code
	// Offset is where it went wrong: for CodeNotBase64 in the text as given, for every other code in the decoded bytes.
	Offset int
	// Records is how many whole records stand before Offset.
	Records int
	// Detail is a sentence for a technician.
	Detail string
}

// Error returns code, place and detail.
func (e *Error) Error() string {
	return "hardware hash: " + string(e.Code) + " at byte " + strconv.Itoa(e.Offset) + ": " + e.Detail
}

// Is reports whether target is an *Error with the same code, so that errors.Is(err, &Error{Code: CodeTruncated}) works.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

func fail(code Code, offset, records int, format string, args ...any) *Error {
	return &Error{Code: code, Offset: offset, Records: records, Detail: fmt.Sprintf(format, args...)}
}
