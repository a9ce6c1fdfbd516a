package graph

import (
	"regexp"
	"strings"
	"unicode"
)

const mask = "[masked]"

// longRuns are texts that can be a piece of a hash or token. Microsoft's longest type names stay below.
var longRuns = regexp.MustCompile(`[A-Za-z0-9+/=_-]{64,}`)

// masked masks in a line what can be a piece of a secret, and the values that the request carried and the answer may
// repeat. All are looked for in the whole line as it is: what one mask or a cut leaves of a value would not be
// recognised any more.
func masked(line string, values []string) string {
	secret := make([]bool, len(line))
	for _, at := range longRuns.FindAllStringIndex(line, -1) {
		mark(secret[at[0]:at[1]])
	}
	for _, v := range values {
		v = oneLine(v)
		quoted := strings.ReplaceAll(v, "'", "''") // as within a literal of OData
		for at := range line {
			for _, form := range []string{v, quoted} {
				if form != "" && strings.HasPrefix(line[at:], form) {
					mark(secret[at : at+len(form)])
				}
			}
		}
	}
	var b strings.Builder
	for i := range secret {
		switch {
		case !secret[i]:
			b.WriteByte(line[i])
		case i == 0 || !secret[i-1]:
			b.WriteString(mask)
		}
	}
	return b.String()
}

func mark(bytes []bool) {
	for i := range bytes {
		bytes[i] = true
	}
}

// oneLine makes a text from outside fit for one line of a log.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
}

// cut shortens a text to at most n characters.
func cut(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		s = strings.TrimSpace(string(runes[:n]) + "…")
	}
	return s
}
