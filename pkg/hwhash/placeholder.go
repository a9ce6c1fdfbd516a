package hwhash

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// Placeholder says how sure it is that firmware put the same value into many machines.
type Placeholder uint8

// The strengths. Only a listed value is known to be shared; a suspected one may be a device's own.
const (
	NoPlaceholder Placeholder = iota // nothing speaks against the value
	Suspected                        // a pattern no maker gives on purpose: repeated, counting, or the field's own name
	Listed                           // a value of public lists, or no value at all
)

// String returns "none", "suspected" or "listed".
func (p Placeholder) String() string {
	switch p {
	case Listed:
		return "listed"
	case Suspected:
		return "suspected"
	default:
		return "none"
	}
}

// usualSerial is how many letters and digits of a serial are looked at without an allocation.
const usualSerial = 64

// SerialPlaceholder reports whether serial is a value that firmware puts into many machines, such as
// "To be filled by O.E.M.". Case, blanks and signs do not matter; a serial without letters and digits is Listed.
func SerialPlaceholder(serial string) Placeholder {
	var usual [usualSerial]byte
	folded := usual[:0]
	if len(serial) > len(usual) {
		folded = make([]byte, 0, len(serial))
	}
	folded = appendFolded(folded, serial)
	switch {
	case isListed(folded):
		return Listed
	case isShort(folded) || isPattern(folded) || isLabel(folded):
		return Suspected
	default:
		return NoPlaceholder
	}
}

// appendFolded appends the letters and digits of text in lower case. What is not ASCII stays as it is.
func appendFolded(folded []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case 'A' <= c && c <= 'Z':
			folded = append(folded, c+'a'-'A')
		case isDecimal(c), 'a' <= c && c <= 'z', c >= utf8.RuneSelf:
			folded = append(folded, c)
		}
	}
	return folded
}

// isListed reports whether folded is listed: by itself, as a numbered name, or as only zeros or only X.
func isListed(folded []byte) bool {
	if listedSerials[string(folded)] {
		return true
	}
	for _, name := range numberedNames {
		if begins(folded, name) && isDecimals(folded[len(name):]) {
			return true
		}
	}
	return len(bytes.Trim(folded, "0")) == 0 || len(bytes.Trim(folded, "x")) == 0
}

// begins reports whether folded begins with word, which is not empty. The first byte alone decides it most often.
func begins(folded []byte, word string) bool {
	return len(folded) >= len(word) && folded[0] == word[0] && string(folded[:len(word)]) == word
}

// isShort reports whether folded is too short to tell devices apart: up to three characters, and no mixture of letters
// and digits.
func isShort(folded []byte) bool {
	const short = 3
	return len(folded) <= short && (isDecimals(folded) || !slices.ContainsFunc(folded, isDecimal))
}

func isDecimal(c byte) bool { return '0' <= c && c <= '9' }

func isDecimals(text []byte) bool {
	return !slices.ContainsFunc(text, func(c byte) bool { return !isDecimal(c) })
}

// shortestPattern is the least length of a run of one character, or of counting up or down, that is no chance.
const shortestPattern = 4

func isPattern(folded []byte) bool {
	return len(folded) >= shortestPattern && (repeats(folded) || counts(folded))
}

// repeats reports whether text is one byte, or a group of up to four that comes at least three times.
func repeats(text []byte) bool {
	const longestGroup, times = 4, 3
	for n := 1; n <= longestGroup && n*times <= len(text); n++ {
		if bytes.Equal(text[n:], text[:len(text)-n]) {
			return true
		}
	}
	return false
}

// counts reports whether folded counts up or down: digits that go round after 9, letters, or hexadecimal digits.
func counts(folded []byte) bool {
	up := true
	down := true
	for i := 1; i < len(folded); i++ {
		up = up && follows(folded[i-1], folded[i])
		down = down && follows(folded[i], folded[i-1])
	}
	return up || down
}

func follows(c, next byte) bool {
	return next == c+1 || c == '9' && (next == '0' || next == 'a') || c == 'f' && next == '0'
}

// isLabel reports whether folded is nothing but the name of the field, or that name before a pattern: "SN-0000000".
func isLabel(folded []byte) bool {
	rest := withoutLabels(folded)
	return len(rest) == 0 || len(rest) < len(folded) && isPattern(rest)
}

// withoutLabels cuts words of labelWords off the front, as many as there are.
func withoutLabels(folded []byte) []byte {
	for {
		i := slices.IndexFunc(labelWords, func(word string) bool { return begins(folded, word) })
		if i < 0 {
			return folded
		}
		folded = folded[len(labelWords[i]):]
	}
}
