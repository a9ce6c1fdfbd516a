package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// docs/cli.md has a heading for each command that does something, and names each of its flags.
func TestEveryCommandIsDocumented(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for part := range strings.SplitSeq(string(raw), "\n## ") {
		title, text, _ := strings.Cut(part, "\n")
		sections[title] = text
	}
	shared := sections["What all commands share"]
	seen := 0
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			visit(sub)
		}
		if c.HasSubCommands() || c.Short == "" || c.Long == "" {
			t.Logf("%s only groups commands", c.CommandPath())
			return
		}
		seen++
		text, ok := sections[c.CommandPath()]
		if !ok {
			t.Errorf("docs/cli.md has no heading %q", c.CommandPath())
		}
		for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(c.LocalFlags().FlagUsages(), -1) {
			if !strings.Contains(text+shared, flag) {
				t.Errorf("%s: docs/cli.md does not name %s", c.CommandPath(), flag)
			}
		}
	}
	var sink bytes.Buffer
	visit(newRoot(stdio{in: &sink, out: &sink, err: &sink}))
	if seen < 11 {
		t.Errorf("only %d commands seen", seen)
	}
}
