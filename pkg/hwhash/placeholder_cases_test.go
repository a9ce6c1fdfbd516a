package hwhash_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taxiway.example/pkg/hwhash"
)

// caseFiles returns the summaries of each file of field cases that pattern matches. They are kept out of the
// repository on purpose.
func caseFiles(t *testing.T, pattern string) map[string][]hwhash.Summary {
	t.Helper()
	dir := filepath.Join(samples(t), "..", "cases")
	files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
	if err != nil || len(files) == 0 {
		t.Skipf("SKIPPED: no %s in ../shared/cases (%v); placeholders are tested on tables only", pattern, err)
	}
	found := map[string][]hwhash.Summary{}
	for _, file := range files {
		found[filepath.Base(file)] = summaries(t, file)
	}
	return found
}

// summaries reads a CSV whose hash is the last column.
func summaries(t *testing.T, file string) (all []hwhash.Summary) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		all = append(all, mustSummarize(t, row[len(row)-1]))
	}
	return all
}

func TestPlaceholderSerialsOfTheField(t *testing.T) {
	files := caseFiles(t, "12-placeholder-serials/p*.csv")
	if len(files) < 10 {
		t.Errorf("%d files, want 10", len(files))
	}
	for file, machines := range files {
		for _, s := range machines {
			if got := hwhash.SerialPlaceholder(s.RevealSerial()); got != hwhash.Listed {
				t.Errorf("%s: %q is %v", file, s.RevealSerial(), got)
			}
			if got := hwhash.UUIDPlaceholder(s.RevealUUID()); got != hwhash.NoPlaceholder {
				t.Errorf("%s: the UUID is %v", file, got)
			}
			if !s.Warnings.Has(hwhash.PlaceholderSerial) {
				t.Errorf("%s: no warning of %q", file, s.RevealSerial())
			}
		}
	}
}

func TestPlaceholderUUIDsOfTheField(t *testing.T) {
	for file, machines := range caseFiles(t, "37-filler-uuids/*.csv") {
		for _, s := range machines {
			if got := hwhash.UUIDPlaceholder(s.RevealUUID()); got != hwhash.Listed {
				t.Errorf("%s: the UUID is %v", file, got)
			}
			want := hwhash.NoPlaceholder
			if serial := s.RevealSerial(); serial == "Default string" || serial == "None" {
				want = hwhash.Listed
			}
			if got := hwhash.SerialPlaceholder(s.RevealSerial()); got != want {
				t.Errorf("%s: %q is %v, want %v", file, s.RevealSerial(), got, want)
			}
		}
	}
}
