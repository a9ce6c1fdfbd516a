package ledger

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// IsText reports whether texts can be kept in a ledger, or be looked for in one: UTF-8 without NUL, as PostgreSQL takes
// it.
func IsText(texts ...string) bool {
	return !slices.ContainsFunc(
		texts,
		func(s string) bool { return !utf8.ValidString(s) || strings.ContainsRune(s, 0) },
	)
}
