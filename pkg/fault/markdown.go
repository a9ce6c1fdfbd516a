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
			"In commands DEVICE is the id of the device that has the code, KNOWN that of the device it contradicts, FILE a\n" +
			"device list, TEXT your reason for the audit. API and CLI put the ids in.\n" +
			"This page is written by `go run ./pkg/fault/internal/codesdoc > docs/error-codes.md`; a test holds it to the " +
			"catalogue.\n",
	)
	class := ""
	for _, r := range catalogue {
		e := r.entry()
		if c, _, _ := strings.Cut(string(e.Code), "."); c != class {
			class = c
			fmt.Fprintf(&b, "\n## %s\n", class)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\nKind: %s. What to do: %s\n", e.Code, e.Title, e.Kind, e.Hint)
		b.WriteString(leadsTo(e.Steps))
	}
	return b.String()
}

// leadsTo lists the commands that change devices, with the states that they lead to.
func leadsTo(steps []Step) string {
	var b strings.Builder
	for _, s := range steps {
		var states []string
		for _, l := range s.Leads {
			states = append(states, fmt.Sprintf("%s is *%s*", l.Of, l.State))
		}
		if len(states) > 0 {
			fmt.Fprintf(&b, "\n- `%s`: %s\n", s.Command, strings.Join(states, ", "))
		}
	}
	return strings.ReplaceAll(b.String(), "\n\n-", "\n-")
}
