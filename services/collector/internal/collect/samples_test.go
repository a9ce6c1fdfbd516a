package collect_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/services/collector/internal/collect"
	"taxiway.example/services/collector/internal/collectortest"
)

// samples finds the folder of sample files beside the repository. They are kept out of it on purpose.
func samples(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, statErr := os.Stat(filepath.Join(dir, "go.work")); statErr == nil {
			found := filepath.Join(dir, "..", "shared", "samples")
			if _, statErr := os.Stat(found); !errors.Is(statErr, os.ErrNotExist) {
				return found
			}
			break
		}
		dir = filepath.Dir(dir)
	}
	t.Skip("SKIPPED: no sample files in ../shared/samples; file shapes are tested on made-up devices only")
	return ""
}

// The results that a careful person gives, file by file and row by row.
func TestSamples(t *testing.T) {
	t.Parallel()
	dir := samples(t)
	cases := map[string][]string{
		"anon-a-hp-elitebook-840-g8.csv":   {"1 accepted"},
		"csv/comma-in-serial-unquoted.csv": {"1 rejected row.malformed"},
		"csv/duplicate-rows.csv":           {"1 accepted", "2 duplicate row.duplicate_in_file", "3 duplicate row.duplicate_in_file"},
		"csv/excel-blank-rows.csv":         {"1 accepted"},
		"csv/excel-mangled-serials.csv":    {"1 accepted row.serial_excel_exponent", "2 duplicate row.duplicate_in_file row.serial_leading_zeros"},
		"csv/header-case-and-spaces.csv":   {"1 accepted"},
		"csv/header-orderid.csv":           {"1 accepted"},
		"csv/partner-center.csv":           {"1 accepted", "2 rejected row.tuple_not_accepted"},
		"csv/semicolon.csv":                {"1 accepted"},
		"csv/serial-mismatch.csv":          {"1 rejected row.serial_mismatch"},
		"csv/utf16le-bom-4col.csv":         {"1 accepted"},
		"csv/utf8-bom-quoted-all.csv":      {"1 accepted"},
	}
	files, err := filepath.Glob(filepath.Join(dir, "csv", "*.csv"))
	if err != nil || len(files) != len(cases)-1 {
		t.Errorf("%d files in csv, results for %d: %v", len(files), len(cases)-1, err)
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := os.Open(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			b := newFixture(t, collect.Config{})
			result, err := b.Take(t.Context(), b.delivery(t, f))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, b.results(t, result.Batch.ID)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// The single hashes of the sample folder, each as the only row of a file that names no serial.
func TestSampleHashes(t *testing.T) {
	t.Parallel()
	dir := samples(t)
	for name, want := range map[string]string{
		"derived-a-recaptured":                 "1 accepted",
		"derived-a-line-breaks":                "1 accepted",
		"derived-a-serial-edited-checksum-bad": "1 rejected hash.checksum_mismatch",
		"derived-a-cut-at-600-bytes":           "1 rejected hash.truncated",
		"synthetic-contoso-ok":                 "1 accepted",
		"synthetic-serial-with-spaces":         "1 accepted hash.virtual_machine",
		"synthetic-no-tpm":                     "1 accepted hash.no_tpm",
		"synthetic-placeholder-serial":         "1 accepted hash.placeholder_serial",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join(dir, name+".b64"))
			if err != nil {
				t.Fatal(err)
			}
			b := newFixture(t, collect.Config{})
			result, err := b.Take(
				t.Context(),
				b.delivery(t, strings.NewReader(collectortest.Header+",,\""+string(text)+"\",,\r\n")),
			)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{want}, b.results(t, result.Batch.ID)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}
