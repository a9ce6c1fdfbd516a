package tenant

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsGroupTag reports whether a group tag survives a CSV file and a membership rule: no comma, quotation mark, control
// character or outer blank. The empty text is no tag, which is fine.
func IsGroupTag(tag string) bool {
	return utf8.ValidString(tag) && strings.TrimSpace(tag) == tag && !strings.ContainsAny(tag, `,"`) &&
		!strings.ContainsFunc(tag, func(r rune) bool { return !unicode.IsPrint(r) })
}

// TagFits reports whether a group tag is no longer than the policy allows.
func (p Policy) TagFits(tag string) bool { return utf8.RuneCountInString(tag) <= p.maxGroupTag() }

func (p Policy) maxGroupTag() int { return cmp.Or(p.MaxGroupTag, DefaultGroupTag) }
