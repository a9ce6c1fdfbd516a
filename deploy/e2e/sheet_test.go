package e2e

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"taxiway.example/cmd/demofile"
)

// sheet is a file's rows by number, 1 for the first behind the header.
type sheet [][]string

func sheetOf(t *testing.T, f *demofile.File) sheet {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(f.CSV)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// serial and hash of a row.
func (s sheet) serial(row int) string { return s[row][0] }
func (s sheet) hash(row int) string   { return s[row][2] }

// hyphenated finds the last row whose serial number has a hyphen: searches by serial number have failed on them.
func (s sheet) hyphenated(t *testing.T) int {
	t.Helper()
	for n := len(s) - 1; n > 0; n-- {
		if strings.Contains(s.serial(n), "-") {
			return n
		}
	}
	t.Fatal("no serial number has a hyphen")
	return 0
}
