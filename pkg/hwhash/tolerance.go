package hwhash

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// labels are what people and tools write in front of a hash, folded and without blanks.
var labels = []string{"hardwarehash", "hash", "devicehardwaredata", "devicehash"}

// longestLabel is how far into the text a colon may still end a label, in bytes.
const longestLabel = 64

// noise is what copying leaves around and inside a hash besides white space: byte order marks, zero-width characters
// and quotes.
const noise = "\uFEFF\u200B\u200C\u200D\u2060\"'`\u201C\u201D\u201E\u2018\u2019\u00AB\u00BB"

// decodeNoisy decodes a text that is not clean base64. An error gives the offset in the text as it came.
func decodeNoisy(text []byte) ([]byte, error) {
	if len(text) > MaxText {
		return nil, fail(
			CodeTooLarge,
			MaxText,
			0,
			"The text has %d characters; a hash has %d at most.",
			len(text),
			MaxText,
		)
	}
	digits, err := sift(text)
	if err != nil {
		return nil, err
	}
	if len(digits) == 0 {
		return nil, fail(CodeEmpty, 0, 0, "There is no hash.")
	}
	// One digit over carries no whole byte. It is a sign of a cut, which the container will check.
	if len(digits)%4 == 1 {
		digits = digits[:len(digits)-1]
	}
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(digits)))
	if _, err := base64.RawStdEncoding.Decode(raw, digits); err != nil {
		return nil, fail(CodeNotBase64, 0, 0, "This is not base64.")
	}
	return raw, nil
}

// sift keeps the base64 digits of text and drops a label, noise and final padding.
func sift(text []byte) ([]byte, error) {
	digits := make([]byte, 0, len(text))
	padded := false
	for at := labelEnd(text); at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		switch {
		case r == '=' && len(digits) > 0:
			padded = true
		case isNoise(r):
		case !isDigit(r):
			return nil, fail(
				CodeNotBase64,
				at,
				0,
				"Character %d of the text is %s, which base64 does not have.",
				at+1,
				nameRune(r),
			)
		case padded:
			return nil, fail(
				CodeNotBase64,
				at,
				0,
				"The text goes on behind the '=' that ends a hash; two values may have run together.",
			)
		default:
			digits = append(digits, byte(r))
		}
		at += size
	}
	return digits, nil
}

// labelEnd returns where the text goes on behind a label such as "Hardware Hash :"; 0 without one.
func labelEnd(text []byte) int {
	// Not bytes.IndexByte: to the compiler its assembly could write to text, and Parse would have to copy.
	colon := slices.Index(text[:min(len(text), longestLabel)], ':')
	if colon < 0 {
		return 0
	}
	label := strings.Map(func(r rune) rune {
		if isNoise(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, string(text[:colon]))
	if slices.Contains(labels, label) {
		return colon + 1
	}
	return 0
}

func isNoise(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(noise, r) }

func isDigit(r rune) bool {
	return 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '+' || r == '/'
}

// nameRune names a character that is no base64 digit; so it cannot be part of a hash and may be shown.
func nameRune(r rune) string {
	switch {
	case r == utf8.RuneError:
		return "not UTF-8"
	case unicode.IsPrint(r):
		return "'" + string(r) + "'"
	}
	return "a control character"
}
