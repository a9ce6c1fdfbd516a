package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"taxiway.example/pkg/fault"
)

// mention is "taxiway COMMAND [SUBCOMMAND]" in a text.
var mention = regexp.MustCompile(`taxiway ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?`)

// unknownCommands returns the commands that text names and root lacks, and counts all that it names.
func unknownCommands(root *cobra.Command, text string) (unknown []string, named int) {
	for _, m := range mention.FindAllStringSubmatch(text, -1) {
		named++
		c, rest, err := root.Find(strings.Fields(m[1] + " " + m[2]))
		// What follows a command without subcommands is an argument, or the sentence goes on.
		if err != nil || c == root || len(rest) > 0 && c.HasSubCommands() {
			unknown = append(unknown, m[0])
		}
	}
	return unknown, named
}

func everyCommand() *cobra.Command {
	var sink bytes.Buffer
	root := newRoot(stdio{in: &sink, out: &sink, err: &sink})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

func TestMentionsAreTakenApart(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"`taxiway trace SERIAL`, `taxiway dlq` and go run ./cmd/taxiway demo": nil,
		"taxiway hash check delivery, then\ntaxiway status batch":             nil,
		"Create the group (taxiway groups) or `taxiway dlq purge` it.":        {"taxiway groups", "taxiway dlq purge"},
	} {
		if got, _ := unknownCommands(everyCommand(), text); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A command that the catalogue's hints name can be called.
func TestEveryCommandOfTheHintsExists(t *testing.T) {
	t.Parallel()
	root := everyCommand()
	total := 0
	for _, e := range fault.Catalogue() {
		unknown, named := unknownCommands(root, e.Title+"\n"+e.Hint)
		if total += named; len(unknown) > 0 {
			t.Errorf("%s names %q, which do not exist", e.Code, unknown)
		}
	}
	if total < 4 {
		t.Errorf("only %d commands are named", total)
	}
}

// So can one that a source, a document or a deployment file names.
func TestEveryCommandMentionedExists(t *testing.T) {
	t.Parallel()
	kinds := []string{".go", ".md", ".yaml", ".sh", ".ps1", ".service"}
	root := everyCommand()
	total := 0
	repository := os.DirFS(filepath.Join("..", ".."))
	err := fs.WalkDir(repository, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains(kinds, filepath.Ext(name)) || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(repository, name)
		unknown, named := unknownCommands(root, string(text))
		if total += named; len(unknown) > 0 {
			t.Errorf("%s names %q, which do not exist", name, unknown)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if total < 80 {
		t.Errorf("only %d commands are named", total)
	}
}
