package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	codeBlock  = regexp.MustCompile("(?ms)^ *```(\\w*)\n(.*?)^ *```$")
	codeSpan   = regexp.MustCompile("`([^`\n]+)`")
	word       = regexp.MustCompile(`'[^']*'|[^\s']+`)
	testName   = regexp.MustCompile(`^(?:Test|Benchmark|Fuzz)[A-Z]\w*$`)
	testFunc   = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(`)
	makeTarget = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	separator  = regexp.MustCompile(`&&|;|\|`)
	comment    = regexp.MustCompile(`(?:^|\s)#.*`)
)

// repository is the folder whose packages, tests and targets the pages name.
type repository string

// testsIn returns the names of the tests, benchmarks and fuzz targets of a package, and false when there is no such package.
func (r repository) testsIn(dir string) (names []string, ok bool) {
	files, err := filepath.Glob(filepath.Join(string(r), dir, "*.go"))
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			return nil, false
		}
		for _, m := range testFunc.FindAllStringSubmatch(string(src), -1) {
			names = append(names, m[1])
		}
	}
	return names, err == nil && len(files) > 0
}

func (r repository) exists(path string) bool {
	_, err := os.Stat(filepath.Join(string(r), path))
	return err == nil
}

// targets returns the targets of the Makefile.
func (r repository) targets() (names []string) {
	makefile, err := os.ReadFile(filepath.Join(string(r), "Makefile"))
	if err != nil {
		return nil
	}
	for _, m := range makeTarget.FindAllStringSubmatch(string(makefile), -1) {
		names = append(names, m[1])
	}
	return names
}

// check returns what a command line names that does not exist, and how many things it names.
func (r repository) check(line string) (missing []string, named int) {
	dir := ""
	for _, command := range separator.Split(line, -1) {
		words := word.FindAllString(command, -1)
		for len(words) > 0 && strings.Contains(words[0], "=") { // the command's environment
			words = words[1:]
		}
		if len(words) < 2 {
			continue
		}
		named++
		switch first, second := words[0], words[1]; {
		case first == "cd":
			if dir = second; !r.exists(dir) {
				missing = append(missing, dir)
			}
		case first == "make":
			if !slices.Contains(r.targets(), second) {
				missing = append(missing, "make "+second)
			}
		case first == "sh" && strings.HasPrefix(second, "tools/"):
			if !r.exists(second) {
				missing = append(missing, second)
			}
		case first == "go" && slices.Contains([]string{"test", "run", "build"}, second):
			missing = append(missing, r.checkGo(dir, words[2:])...)
		default:
			named--
		}
	}
	return missing, named
}

// checkGo returns the packages that do not exist, and the patterns that select no test in the packages named with them.
func (r repository) checkGo(dir string, words []string) (missing []string) {
	var tests, selected []string
	for i, w := range words {
		flag, value, _ := strings.Cut(w, "=")
		switch below, all := strings.CutSuffix(w, "/..."); {
		case slices.Contains([]string{"-run", "-bench", "-fuzz"}, flag):
			if value == "" && i+1 < len(words) {
				value = words[i+1]
			}
			selected = append(selected, flag, strings.Trim(value, "'"))
		case all && !r.exists(filepath.Join(dir, below)):
			missing = append(missing, w)
		case strings.HasPrefix(w, "./") && !all:
			names, ok := r.testsIn(filepath.Join(dir, w))
			if !ok {
				missing = append(missing, w)
			}
			tests = append(tests, names...)
		}
	}
	prefixes := map[string]string{"-run": "Test", "-bench": "Benchmark", "-fuzz": "Fuzz"}
	for i := 0; i < len(selected); i += 2 {
		pattern := selected[i+1]
		prefix := prefixes[selected[i]]
		if pattern == "^$" || len(tests) == 0 {
			continue
		}
		top, err := regexp.Compile(strings.SplitN(pattern, "/", 2)[0])
		matches := func(test string) bool { return strings.HasPrefix(test, prefix) && top.MatchString(test) }
		if err != nil || !slices.ContainsFunc(tests, matches) {
			missing = append(missing, fmt.Sprintf("%s %s", selected[i], pattern))
		}
	}
	return missing
}

// commands returns the lines of a page's code blocks and its code spans, without comments.
func commands(page string) (lines []string) {
	for _, m := range codeBlock.FindAllStringSubmatch(page, -1) {
		if m[1] != "" && m[1] != "sh" {
			continue
		}
		block := strings.ReplaceAll(m[2], "\\\n", " ")
		for line := range strings.Lines(block) {
			lines = append(lines, comment.ReplaceAllString(line, ""))
		}
	}
	for _, m := range codeSpan.FindAllStringSubmatch(codeBlock.ReplaceAllString(page, ""), -1) {
		lines = append(lines, strings.ReplaceAll(m[1], `\|`, "|"))
	}
	return lines
}

func TestCommandsAreTakenApart(t *testing.T) {
	t.Parallel()
	r := repository(filepath.Join("..", ".."))
	for line, want := range map[string][]string{
		"go test ./pkg/hwhash -run '^$' -bench Decode -benchmem":     nil,
		"cd pkg && GOWORK=off go test -race ./...":                   nil,
		"make test; A=b make nothing FUZZTIME=1m":                    {"make nothing"},
		"go run ./cmd/nothing -run x":                                {"./cmd/nothing"},
		"go test ./deploy/archtest -run 'TestNothing.*/sub'":         {"-run TestNothing.*/sub"},
		"go test ./pkg/hwhash -run TestNoSuchTest -fuzz=FuzzNothing": {"-run TestNoSuchTest", "-fuzz FuzzNothing"},
		"go test ./deploy/archtest -run 'TestCommandsAreTaken/a/b'":  nil,
		"cd nowhere && sh tools/nothing.sh | tail":                   {"nowhere", "tools/nothing.sh"},
		"go test ./nowhere/... work":                                 {"./nowhere/..."},
	} {
		if got, _ := r.check(line); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// The packages, targets, scripts and tests that the pages tell a reader to run exist.
func TestCommandsOfThePagesExist(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"} {
		pages = append(pages, filepath.Join(root, name))
	}
	total := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range commands(string(text)) {
			missing, named := repository(root).check(line)
			if total += named; len(missing) > 0 {
				t.Errorf("%s: %s names %q, which do not exist", page, strings.TrimSpace(line), missing)
			}
		}
	}
	if total < 30 {
		t.Errorf("only %d commands are named", total)
	}
}

// So do the tests that the page about testing names in its sentences and tables.
func TestTestsOfThePageExist(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "testing.md"))
	if err != nil {
		t.Fatal(err)
	}
	var tests []string
	for _, p := range list(t, "work") {
		names, _ := repository(root).testsIn(strings.TrimPrefix(p.ImportPath, ours))
		tests = append(tests, names...)
	}
	named := 0
	for _, span := range codeSpan.FindAllStringSubmatch(string(page), -1) {
		if !testName.MatchString(span[1]) {
			continue
		}
		if named++; !slices.Contains(tests, span[1]) {
			t.Errorf("there is no %s", span[1])
		}
	}
	if named < 15 {
		t.Errorf("only %d tests are named", named)
	}
}
