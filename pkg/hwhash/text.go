package hwhash

import (
	"crypto/sha256"
	"strings"
)

// untilNUL cuts a text at its first NUL and repairs what is not UTF-8.
func untilNUL(value string) string {
	text, _, _ := strings.Cut(value, "\x00")
	return strings.ToValidUTF8(text, "\uFFFD")
}

// trimText is untilNUL without the outer blanks some firmware pads with. It copies nothing unless it must repair.
func trimText(value string) string { return strings.TrimSpace(untilNUL(value)) }

// sumString is SHA-256 of s; a key of the usual size is copied to the stack only.
func sumString(s string) [32]byte {
	var buf [512]byte
	if len(s) > len(buf) {
		return sha256.Sum256([]byte(s))
	}
	return sha256.Sum256(buf[:copy(buf[:], s)])
}
