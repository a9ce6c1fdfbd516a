package archtest

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// wideTables are files that are one table: a row stays on its line.
var wideTables = map[string]bool{"pkg/fault/table.go": true}

// tableRow is a row of a table of cases: a composite literal, alone or under a key.
var tableRow = regexp.MustCompile(`^\t*("[^"]*":\s*|[\w.]+:\s*)?(\{|func\()`)

// A line of Go has up to 120 columns, a tab counts as one; in tests up to 160, and rows of tables may be longer.
func TestLinesAreShort(t *testing.T) {
	t.Parallel()
	for _, name := range tracked(t, "*.go") {
		if wideTables[name] {
			continue
		}
		inTests := strings.HasSuffix(name, "_test.go") || strings.HasSuffix(filepath.Dir(name), "test")
		allowed := maxColumns
		if inTests {
			allowed = maxTestColumns
		}
		for i, line := range strings.Split(text(t, name), "\n") {
			if width := utf8.RuneCountInString(line); width > allowed && (!inTests || !tableRow.MatchString(line)) {
				t.Errorf("%s:%d has %d columns, %d are allowed", name, i+1, width, allowed)
			}
		}
	}
}
