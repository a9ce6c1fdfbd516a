package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"taxiway.example/pkg/fault"
)

var metricName = regexp.MustCompile(`"((?:taxiway_)?[a-z]+(?:_[a-z]+)*_(?:total|seconds))"`)

// Every metric in the sources has a heading in docs/operations.md.
func TestEveryMetricIsDocumented(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	headings := strings.Join(regexp.MustCompile(`(?m)^### taxiway_\S+$`).FindAllString(string(page), -1), "\n") + "\n"
	names := 0
	for _, dir := range []string{"pkg", "services", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			src, err := os.ReadFile(path)
			for _, m := range metricName.FindAllStringSubmatch(string(src), -1) {
				names++
				if !strings.Contains(headings, m[1]+"\n") {
					t.Errorf("%s: the metric %s has no heading in docs/operations.md", path, m[1])
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if names < 10 {
		t.Errorf("only %d metrics found in the sources", names)
	}
}

// Links between the documents lead somewhere.
func TestLinksInTheDocumentsLeadSomewhere(t *testing.T) {
	root := filepath.Join("..", "..")
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	links := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".md"):
			return nil
		}
		page, err := os.ReadFile(path)
		for _, m := range link.FindAllStringSubmatch(string(page), -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s: %s does not exist", path, m[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if links < 10 {
		t.Errorf("only %d links found", links)
	}
}

// ARCHITECTURE.md names every concept of pkg.
func TestEveryPackageIsInTheArchitecture(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, p := range list(t, "work") {
		below, ok := strings.CutPrefix(p.ImportPath, ours+"pkg/")
		if !ok || strings.Contains(below, "/") {
			continue
		}
		if seen++; !strings.Contains(string(page), "`pkg/"+below+"`") {
			t.Errorf("ARCHITECTURE.md does not name pkg/%s", below)
		}
	}
	if seen < 20 {
		t.Errorf("only %d packages seen", seen)
	}
}

// An error code that a page for users names is in the catalogue.
func TestErrorCodesOfThePagesExist(t *testing.T) {
	t.Parallel()
	classes := map[string]bool{}
	for _, e := range fault.Catalogue() {
		class, _, _ := strings.Cut(string(e.Code), ".")
		classes[class] = class != "ledger" // names of boundaries and files begin like its codes
	}
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`(([a-z]+)\\.[a-z_]+)`").FindAllStringSubmatch(string(text), -1) {
			if !classes[m[2]] {
				continue
			}
			named++
			if _, known := fault.Lookup(fault.Code(m[1])); !known {
				t.Errorf("%s names the code %s, which does not exist", page, m[1])
			}
		}
	}
	if named < 20 {
		t.Errorf("only %d codes are named", named)
	}
}
