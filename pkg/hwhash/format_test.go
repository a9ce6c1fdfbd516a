package hwhash_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/hwhash"
)

func TestFormats(t *testing.T) {
	uuid := [16]byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}
	if got, want := hwhash.FormatUUID(uuid), "00112233-4455-6677-8899-AABBCCDDEEFF"; got != want {
		t.Errorf("FormatUUID = %s, want %s", got, want)
	}
	if got, want := hwhash.FormatMAC("\x00\x15\x5d\x0a\x0b\x0c"), "00:15:5D:0A:0B:0C"; got != want {
		t.Errorf("FormatMAC = %s, want %s", got, want)
	}
	version := hwhash.Version{Major: 10, Minor: 0, Build: 26100, Revision: 7705}
	if got, want := version.String(), "10.0.26100.7705"; got != want {
		t.Errorf("Version = %s, want %s", got, want)
	}
}

func TestParseTPM(t *testing.T) {
	const text = "TPM-Version:2.0 -Level:0-Revision:1.38-VendorID:'IFX '-Firmware:7.85.17.51968"
	want := hwhash.TPM{Version: "2.0", Level: "0", Revision: "1.38", Vendor: "IFX", Firmware: "7.85.17.51968"}
	got, ok := hwhash.ParseTPM(text)
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("ParseTPM, %v (-want +got):\n%s", ok, diff)
	}
	if got.String() != text {
		t.Errorf("String = %q", got)
	}
	for _, other := range []string{"", "TPM 2.0", "TPM-Version:2.0", "-Firmware:1-Level:0"} {
		if _, ok := hwhash.ParseTPM(other); ok {
			t.Errorf("ParseTPM(%q) is sure", other)
		}
	}
}

func TestZone(t *testing.T) {
	for quarters, want := range map[int8]string{-20: "-5h0m0s", 0: "0s", 56: "14h0m0s", 57: "unknown", 120: "unknown", -57: "unknown", -128: "unknown"} {
		got := "unknown"
		if offset, known := (hwhash.Tool{ZoneQuarters: quarters}).Zone(); known {
			got = offset.String()
		}
		if got != want {
			t.Errorf("%d quarters = %s, want %s", quarters, got, want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := map[string]func(*hwhash.Report){
		"NUL in a text":       func(r *hwhash.Report) { r.Product = "a\x00b" },
		"NUL in the serial":   func(r *hwhash.Report) { r.Serial = hwhash.NewSecret("a\x00b") },
		"not UTF-8":           func(r *hwhash.Report) { r.SKU = "\xff" },
		"time before 2000":    func(r *hwhash.Report) { r.Tool.CapturedAt = time.Time{} },
		"time after 2136":     func(r *hwhash.Report) { r.Tool.CapturedAt = time.Date(2137, 1, 1, 0, 0, 0, 0, time.UTC) },
		"part of a second":    func(r *hwhash.Report) { r.Tool.CapturedAt = r.Tool.CapturedAt.Add(1) },
		"short MAC":           func(r *hwhash.Report) { r.Adapters[0].MAC = hwhash.NewSecret("12345") },
		"short UUID":          func(r *hwhash.Report) { r.UUID = hwhash.NewSecret("12345") },
		"bar in a disk model": func(r *hwhash.Report) { r.DiskNames[0].Model = "a|b" },
		"bar in a GPU vendor": func(r *hwhash.Report) { r.GPUName.Vendor = "a|b" },
		"256 core classes":    func(r *hwhash.Report) { r.HybridCPU = make([]hwhash.CoreClass, 256) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			r := hwhash.Synthetic(1)
			change(&r)
			if _, err := hwhash.Encode(r); !errors.Is(err, hwhash.ErrReport) {
				t.Errorf("error = %v, want ErrReport", err)
			}
		})
	}
	r := hwhash.Synthetic(1)
	r.Family = strings.Repeat("x", hwhash.MaxRecords)
	if _, err := hwhash.Encode(r); !errors.Is(err, &hwhash.Error{Code: hwhash.CodeTooLarge}) {
		t.Errorf("error = %v, want too_large", err)
	}
}

func TestEncodeLeavesTheReportAlone(t *testing.T) {
	r := hwhash.Synthetic(5)
	untouched := hwhash.Synthetic(5)
	r.Tool.CapturedAt = r.Tool.CapturedAt.In(time.FixedZone("there", 3600))
	mustEncode(t, r)
	if r.Tool.CapturedAt.Location().String() != "there" {
		t.Error("Encode changed the report")
	}
	if diff := cmp.Diff(untouched, r); diff != "" {
		t.Errorf("Encode changed the report (-want +got):\n%s", diff)
	}
}

func TestSynthetic(t *testing.T) {
	serials := map[string]bool{}
	keys := map[[32]byte]bool{}
	for seed := range uint64(300) {
		r := hwhash.Synthetic(seed)
		if diff := cmp.Diff(r, hwhash.Synthetic(seed)); diff != "" {
			t.Fatalf("seed %d gives two devices:\n%s", seed, diff)
		}
		s := mustSummarize(t, mustEncode(t, r).Wire())
		if s.Warnings != 0 || !s.HasTPM2() {
			t.Errorf("seed %d has warnings %v", seed, s.Warnings)
		}
		serials[s.RevealSerial()] = true
		keys[s.RevealEKHash()] = true
	}
	if len(serials) != 300 || len(keys) != 300 {
		t.Errorf("%d serials and %d keys for 300 devices", len(serials), len(keys))
	}
}
