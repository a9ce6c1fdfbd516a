package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// pageWidth is the width of the narrowest terminal that people use, in characters.
const pageWidth = 80

// writeFolded writes a text in lines of at most pageWidth behind an indent. A word that is longer, such as an id, stays
// whole. Nothing is written of an empty text.
func writeFolded(w io.Writer, indent int, text string) {
	var b strings.Builder
	margin := strings.Repeat(" ", indent)
	used := pageWidth
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			b.WriteString(margin)
			used = indent
		case used+1+n > pageWidth:
			b.WriteString("\n" + margin)
			used = indent
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	_, _ = io.WriteString(w, b.String())
}

// commandOf is a command in a hint, with what follows it in the sentence.
var commandOf = regexp.MustCompile("`(taxiway [^`]+)`\\.?")

// writeHint writes what to do, folded; each command has a line of its own, however long, so that it can be copied.
func writeHint(w io.Writer, indent int, hint string) {
	at := 0
	for _, m := range commandOf.FindAllStringSubmatchIndex(hint, -1) {
		writeFolded(w, indent, hint[at:m[0]])
		_, _ = fmt.Fprintf(w, "    %s\n", hint[m[2]:m[3]])
		at = m[1]
	}
	writeFolded(w, indent, hint[at:])
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
