package main

import (
	"fmt"
	"io"
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

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
