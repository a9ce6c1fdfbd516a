package event_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/event"
)

// docs/events.md has every type and every attribute, and the body of the golden file as the example.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for name, e := range samples() {
		_, section, found := strings.Cut(page, "\n### "+name+"\n")
		_, example, _ := strings.Cut(section, "```json\n")
		example, _, _ = strings.Cut(example, "```")
		var got, want any
		if err := json.Unmarshal([]byte(example), &got); err != nil || !found {
			t.Errorf("%s has no example: %v", name, err)
			continue
		}
		attrs, body, err := event.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the example is another: %s", name, diff)
		}
		for attr := range attrs {
			if !strings.Contains(page, "\n| `"+attr+"` |") {
				t.Errorf("the attribute %s is not described", attr)
			}
		}
	}
}
