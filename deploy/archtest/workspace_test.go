package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A module that go.work forgets is never tested; tools is left out on purpose.
func TestEveryModuleIsInTheWorkspace(t *testing.T) {
	root := filepath.Join("..", "..")
	work, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		t.Fatal(err)
	}
	used := []string{}
	for _, m := range regexp.MustCompile(`(?m)^\s+\./(\S+)$`).FindAllStringSubmatch(string(work), -1) {
		used = append(used, m[1])
	}
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "*go.mod")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	var have []string
	for _, f := range strings.Fields(string(out)) {
		if dir := filepath.Dir(f); dir != "tools" {
			have = append(have, dir)
		}
	}
	slices.Sort(used)
	slices.Sort(have)
	if !slices.Equal(used, have) {
		t.Errorf("go.work uses %v, the repository has %v", used, have)
	}
}

func TestEveryModuleNamesTheFullGoVersion(t *testing.T) {
	mods, err := filepath.Glob(filepath.Join("..", "..", "*", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	services, err := filepath.Glob(filepath.Join("..", "..", "services", "*", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mods = append(mods, services...)
	if len(mods) < 6 {
		t.Fatalf("only %v", mods)
	}
	for _, m := range mods {
		src, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(src), "\ngo 1.26.0\n") {
			t.Errorf("%s does not say go 1.26.0", m)
		}
	}
}
