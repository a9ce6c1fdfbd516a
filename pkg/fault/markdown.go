package fault

import (
	"fmt"
	"strings"
)

// Markdown returns the documentation page of the catalogue, docs/error-codes.md: one heading per code.
func Markdown() string {
	var b strings.Builder
	b.WriteString(
		"# Error codes\n\nThe API, the CLI, the dead letters and the metrics use these codes; they are never renamed.\n" +
			"This page is written by `go run ./pkg/fault/internal/codesdoc > docs/error-codes.md`; a test holds it to the " +
			"catalogue.\n",
	)
	class := ""
	for _, e := range catalogue {
		if c, _, _ := strings.Cut(string(e.Code), "."); c != class {
			class = c
			fmt.Fprintf(&b, "\n## %s\n", class)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\nKind: %s. What to do: %s\n", e.Code, e.Title, e.Kind, e.Hint)
	}
	return b.String()
}
