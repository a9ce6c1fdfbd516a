package hwhash

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The page in docs must name every code, every warning and every record.
func TestDocsAreComplete(t *testing.T) {
	page, err := os.ReadFile("../../docs/hardware-hash.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			rows[strings.Trim(strings.TrimSpace(cells[1]), "`")] = true
		}
	}
	for _, code := range Codes() {
		if !rows[string(code)] {
			t.Errorf("code %s is not in the docs", code)
		}
	}
	for w := range AllWarnings().All() {
		if !rows[w.String()] || w.Advice() == "" {
			t.Errorf("warning %q is not in the docs, or has no advice", w)
		}
	}
	for _, c := range codecs {
		if !rows[fmt.Sprint(c.t)] || !c.t.known() {
			t.Errorf("record %d is not in the docs, or unknown", c.t)
		}
	}
}
