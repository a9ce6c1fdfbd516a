package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reserved are words that identifiers hold only in the packages named: elsewhere another word says it.
// A folder stands for the folders below it.
var reserved = []struct {
	words   string
	say     string
	allowed []string
}{
	{"letter letters", "dead letter (allowed directly after dead)", []string{"pkg/hwhash"}},
	{"park parks parked parking unpark unparked shelf desk", "dead letter, dead-letter queue", nil},
	{"redo", "replay, retry queue", nil},
	{"verdict verdicts judge judges judged", "device.Decision, RowOutcome, Classify, result", nil},
	{"settle settles settled settlement", "acknowledge, commit, complete; settlement is AMQP's", []string{
		"pkg/broker/adapter", "pkg/broker/natsbroker", "pkg/broker/sbbroker", "cmd/allinone",
	}},
	{"look looks looking", "poll, check, or look up", nil},
	{"guest guests door doors keeper keepers house", "external sender, account, tenant or global operator", nil},
	{"bell ring rings hearer", "notify", nil},
	{"mailbox mailboxes", "reply address", nil},
	{"filler fillers", "placeholder", []string{"cmd/internal/watch"}}, // the name of a bar's part in mpb
	{"evidence", "identifier, matched by", nil},
	{"rig rigs world worlds affair affairs", "fixture", nil},
	{"bench", "fixture, unless it is a benchmark's", []string{"pkg/broker/natsbroker", "pkg/broker/sbbroker"}},
}

// standard are names that are not ours: of the standard library, and "look up", which is the word for reading by key.
var standard = []string{"lookpath", "lookup"}

var wordOf = regexp.MustCompile(`[A-Z]+(?:[a-z]+|$)|[A-Z]?[a-z]+|[A-Z]+`)

// reservedIn returns the word of a name that the table reserves for other folders, and what to say instead.
func reservedIn(folder, name string) (word, say string) {
	words := wordOf.FindAllString(name, -1)
	for i, w := range words {
		w = strings.ToLower(w)
		pair := w
		if i+1 < len(words) {
			pair += strings.ToLower(words[i+1])
		}
		if slices.Contains(standard, pair) || i > 0 && strings.HasSuffix(strings.ToLower(words[i-1]), "dead") {
			continue
		}
		for _, r := range reserved {
			if slices.Contains(strings.Fields(r.words), w) && !below(folder, r.allowed) {
				return w, r.say
			}
		}
	}
	return "", ""
}

func below(folder string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool { return folder == a || strings.HasPrefix(folder, a+"/") })
}

// Identifiers say what the field's standard terms say. Only names that the sources declare are checked: what other
// packages call theirs is theirs.
func TestWordsOfIdentifiers(t *testing.T) {
	t.Parallel()
	names := 0
	for _, name := range tracked(t, "*.go") {
		src := text(t, name)
		if src == "" {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.ToSlash(filepath.Dir(name))
		ast.Inspect(file, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			names++
			if id.Name == "IsLetter" { // of package unicode
				return true
			}
			if word, say := reservedIn(folder, id.Name); word != "" {
				t.Errorf("%s: %s holds %q; say %s", fset.Position(id.Pos()), id.Name, word, say)
			}
			return true
		})
	}
	if names < 10_000 {
		t.Errorf("only %d identifiers seen", names)
	}
}

func TestReservedIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ folder, name, want string }{
		{"pkg/ledger", "DeadLetter", ""},
		{"pkg/ledger", "closeDeadLetters", ""},
		{"pkg/ledger", "letterBox", "letter"},
		{"pkg/ledger", "lookUp", ""},
		{"pkg/ledger", "LookupEnv", ""},
		{"pkg/ledger", "look", "look"},
		{"pkg/ledger", "String", ""},
		{"pkg/ledger", "settled", "settled"},
		{"pkg/broker/sbbroker/simulator", "settled", ""},
		{"pkg/broker", "Verdict", "verdict"},
	} {
		if got, _ := reservedIn(c.folder, c.name); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.name, c.folder, got, c.want)
		}
	}
}

// prose are words of another picture of dead letters; in comments and pages they mean nothing else either.
var prose = regexp.MustCompile(`(?i)\b(un)?(park|parks|parked|parking)\b|\b(shelf|shelves|desks?)\b`)

// Comments and pages say dead letter.
func TestWordsOfProse(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Concat(tracked(t, "*.go"), tracked(t, "*.md")) {
		if name == "deploy/archtest/words_test.go" || name == "docs/glossary.md" {
			continue
		}
		for i, line := range strings.Split(text(t, name), "\n") {
			if word := prose.FindString(line); word != "" {
				t.Errorf("%s:%d says %q; say dead letter", name, i+1, word)
			}
		}
	}
}
