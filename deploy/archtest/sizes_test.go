package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	maxLines       = 400 // of a file
	maxColumns     = 120 // of a line of prose or code
	maxTestColumns = 160 // of a line of a test
)

// tracked returns the files of the repository that match a pattern of git.
func tracked(t *testing.T, pattern string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", pattern)
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	return strings.Fields(string(out))
}

// text returns a file of the repository; one that is deleted and not committed yet is empty.
func text(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

// A source file has up to 400 lines. Files of tests are left out: a table of cases stays in one piece.
func TestSourceFilesAreShort(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, name := range tracked(t, "*.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		seen++
		if lines := strings.Count(text(t, name), "\n"); lines > maxLines {
			t.Errorf("%s has %d lines, %d are allowed", name, lines, maxLines)
		}
	}
	if seen < 100 {
		t.Errorf("only %d files seen", seen)
	}
}

// A line of prose has up to 120 columns in the pages that a new reader meets first; tables and code blocks may be
// wider.
func TestProseIsWrapped(t *testing.T) {
	t.Parallel()
	pages := []string{
		"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md",
		"docs/brokers.md", "docs/glossary.md", "docs/operations.md", "docs/testing.md",
	}
	for _, page := range pages {
		code := false
		for i, line := range strings.Split(text(t, page), "\n") {
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			if width := utf8.RuneCountInString(line); width > maxColumns && !code && !strings.HasPrefix(line, "|") {
				t.Errorf("%s:%d has %d columns, %d are allowed", page, i+1, width, maxColumns)
			}
		}
	}
}
