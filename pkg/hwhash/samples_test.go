package hwhash_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/hwhash"
)

// samples finds the folder of sample captures beside the repository. They are kept out of it on purpose.
func samples(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, statErr := os.Stat(filepath.Join(dir, "go.work")); statErr == nil {
			found := filepath.Join(dir, "..", "shared", "samples")
			if _, statErr := os.Stat(found); statErr == nil {
				return found
			}
			break
		}
		dir = filepath.Dir(dir)
	}
	tb.Skip("SKIPPED: no sample captures in ../shared/samples; decoding is tested on made-up devices only")
	return ""
}

func sampleText(tb testing.TB, name string) string {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(samples(tb), name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// captured is the hash in the CSV of a real capture: UTF-16LE with BOM, CRLF, third column.
func captured(tb testing.TB) string {
	tb.Helper()
	raw := sampleText(tb, "anon-a-hp-elitebook-840-g8.csv")
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
	}
	lines := strings.Split(string(utf16.Decode(units)), "\r\n")
	return strings.Split(lines[1], ",")[2]
}

func TestRealCapture(t *testing.T) {
	text := captured(t)
	if len(text) != hwhash.WireChars {
		t.Fatalf("the sample has %d characters", len(text))
	}
	h, err := hwhash.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if h.Wire() != text {
		t.Error("Wire does not give the original text")
	}
	if got := len(h.Canonical()); got != 1159+36 {
		t.Errorf("canonical bytes = %d, want total 1159 and trailer", got)
	}
	records := 0
	for range h.Records() {
		records++
	}
	if records != 33 {
		t.Errorf("%d records, want 33", records)
	}
	r, err := hwhash.Decode(h)
	if err != nil {
		t.Fatal(err)
	}
	assertElitebook(t, r)

	again, err := hwhash.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Equal(h) {
		t.Error("Encode(Decode(h)) does not give the bytes of a real capture")
	}
}

func assertElitebook(t *testing.T, r hwhash.Report) {
	t.Helper()
	if got := r.Serial.Reveal(); got != "5CG0000AAA" {
		t.Errorf("serial = %q", got)
	}
	if r.Manufacturer != "HP" || r.Product != "HP EliteBook 840 G8 Notebook PC" {
		t.Errorf("device = %q %q", r.Manufacturer, r.Product)
	}
	wantTool := &hwhash.Tool{
		Build:        hwhash.Version{Major: 10, Build: 26100, Revision: 7705},
		OSBuild:      hwhash.Version{Major: 10, Build: 26200, Revision: 7840},
		CapturedAt:   time.Date(2026, 2, 26, 19, 21, 2, 0, time.UTC),
		ZoneQuarters: -20, OSType: hwhash.FullOS, Architecture: 9, ToolVersion: 9,
	}
	if diff := cmp.Diff(wantTool, r.Tool); diff != "" {
		t.Errorf("tool (-want +got):\n%s", diff)
	}
	if zone, known := r.Tool.Zone(); !known || zone != -5*time.Hour {
		t.Errorf("zone = %v, %v", zone, known)
	}
	if diff := cmp.Diff(&hwhash.CPU{Architecture: hwhash.ArchX64, Packages: 1, Cores: 4, Threads: 8, HyperThreading: 1}, r.CPU); diff != "" {
		t.Errorf("cpu (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&hwhash.Memory{InstalledGB: 16, MaximumGB: 32, Slots: 2, Arrays: 1, ErrorCorrection: 3}, r.Memory); diff != "" {
		t.Errorf("memory (-want +got):\n%s", diff)
	}
	tpm, ok := hwhash.ParseTPM(r.TPM)
	if !ok || tpm.Version != "2.0" || tpm.Vendor != "IFX" || tpm.Revision != "1.38" {
		t.Errorf("tpm = %+v, %v", tpm, ok)
	}
	if len(r.Adapters) != 2 || r.Adapters[0].Enumerator != "BTH" || r.Adapters[1].Medium != 9 {
		t.Errorf("adapters = %+v", r.Adapters)
	}
	if len(r.Disks) != 1 || r.Disks[0].CapacityGB != 512 || r.Disks[0].Bus != 17 {
		t.Errorf("disks = %+v", r.Disks)
	}
	if r.GPUName == nil || r.GPUName.Vendor != "Intel Corporation" {
		t.Errorf("gpu = %+v", r.GPUName)
	}
	if len(r.Other) != 2 || r.Other[0].Type != 35 || r.Other[1].Type != 37 {
		t.Errorf("other = %v", r.Other)
	}
}

func TestDerivedSamples(t *testing.T) {
	a := mustSummarize(t, captured(t))
	if got := a.Warnings.String(); got != "" {
		t.Errorf("a real capture has warnings %q", got)
	}

	recaptured := mustSummarize(t, sampleText(t, "derived-a-recaptured.b64"))
	if recaptured.RevealEKHash() != a.RevealEKHash() || recaptured.RevealSerial() != a.RevealSerial() {
		t.Error("the recaptured device is another one")
	}
	if recaptured.Digest() == a.Digest() || recaptured.CapturedAt.Sub(a.CapturedAt) != 30*24*time.Hour {
		t.Errorf("recaptured at %v, the first at %v", recaptured.CapturedAt, a.CapturedAt)
	}

	if broken := mustSummarize(t, sampleText(t, "derived-a-line-breaks.b64")); broken.Digest() != a.Digest() {
		t.Error("line breaks change the hash")
	}

	_, err := hwhash.Parse(sampleText(t, "derived-a-serial-edited-checksum-bad.b64"))
	wantError(t, err, &hwhash.Error{Code: hwhash.CodeChecksumMismatch, Offset: 1159, Records: 33})

	cut, err := hwhash.Inspect(sampleText(t, "derived-a-cut-at-600-bytes.b64"))
	wantError(t, err, &hwhash.Error{Code: hwhash.CodeTruncated, Offset: 600, Records: 13})
	if cut.Tool == nil || cut.Serial.Reveal() != "" || cut.TPM == "" {
		t.Error("Inspect does not show what is left of a cut hash")
	}
}

func TestSyntheticSamples(t *testing.T) {
	tests := map[string]string{
		"synthetic-contoso-ok.b64":         "",
		"synthetic-serial-with-spaces.b64": "virtual_machine",
		"synthetic-no-tpm.b64":             "no_tpm",
		"synthetic-placeholder-serial.b64": "placeholder_serial",
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			if got := mustSummarize(t, sampleText(t, name)).Warnings.String(); got != want {
				t.Errorf("warnings = %q, want %q", got, want)
			}
		})
	}
}

func mustSummarize(tb testing.TB, text string) hwhash.Summary {
	tb.Helper()
	h, err := hwhash.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := hwhash.Summarize(h)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// wantError compares code, offset and number of records; the sentence is for people.
func wantError(tb testing.TB, err error, want *hwhash.Error) {
	tb.Helper()
	var got *hwhash.Error
	if !errors.As(err, &got) {
		tb.Fatalf("error = %v, want code %s", err, want.Code)
	}
	if got.Code != want.Code || got.Offset != want.Offset || got.Records != want.Records {
		tb.Errorf(
			"error = %s at %d after %d records, want %s at %d after %d",
			got.Code,
			got.Offset,
			got.Records,
			want.Code,
			want.Offset,
			want.Records,
		)
	}
	if got.Detail == "" || got.Code.Advice() == "" {
		tb.Errorf("code %s has no sentence or no advice", got.Code)
	}
}
