package queue

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"taxiway.example/pkg/intake"
)

// The examples of docs/events.md are what parse reads and what reply writes.
func TestExamplesInTheDocumentation(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	bodies := examples(t, string(page), "### Body")
	for i, want := range []int{1, 2} {
		rows, err := parse([]byte(bodies[i]), 500)
		if err != nil || len(rows) != want ||
			slices.ContainsFunc(rows, func(r intake.Row) bool { return r.Reject != nil }) {
			t.Errorf("%s: %v %v", bodies[i], rows, err)
		}
	}
	answers := examples(t, string(page), "### Answers")
	for i, into := range []any{&receipt{}, &refusal{}} {
		dec := json.NewDecoder(strings.NewReader(answers[i]))
		dec.DisallowUnknownFields()
		if err := dec.Decode(into); err != nil || reflect.ValueOf(into).Elem().Field(0).String() == "" {
			t.Errorf("%s: %v", answers[i], err)
		}
	}
}

// examples returns the two JSON blocks below a heading.
func examples(t *testing.T, page, heading string) []string {
	t.Helper()
	_, section, found := strings.Cut(page, "\n"+heading+"\n")
	section, _, _ = strings.Cut(section, "\n### ")
	var blocks []string
	for i, part := range strings.Split(section, "```") {
		if i%2 == 1 {
			blocks = append(blocks, strings.TrimPrefix(part, "json\n"))
		}
	}
	if !found || len(blocks) != 2 {
		t.Fatalf("%s: %d examples", heading, len(blocks))
	}
	return blocks
}
