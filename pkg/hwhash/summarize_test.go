package hwhash_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"taxiway.example/pkg/hwhash"
)

func TestWarnings(t *testing.T) {
	tests := map[string]struct {
		change func(*hwhash.Report)
		want   string
	}{
		"as made": {func(*hwhash.Report) {}, ""},
		"no TPM":  {(*hwhash.Report).RemoveTPM, "no_tpm"},
		"TPM without key": {func(r *hwhash.Report) {
			r.EK = hwhash.Secret{}
			r.OfflineID = nil
		}, "no_ek"},
		"in WinPE": {(*hwhash.Report).CaptureInWinPE, "winpe_capture"},
		"in WinPE, TPM without key": {func(r *hwhash.Report) {
			r.EK = hwhash.Secret{}
			r.OfflineID = nil
			r.Tool.OSType = hwhash.WinPE
		}, "winpe_capture"},
		"in WinPE, with the TPM provider": {func(r *hwhash.Report) { r.Tool.OSType = hwhash.WinPE }, ""},
		"on an OS of another kind, no TPM": {func(r *hwhash.Report) {
			r.RemoveTPM()
			r.Tool.OSType = 3
		}, "no_tpm"},
		"TPM 1.2": {func(r *hwhash.Report) {
			r.TPM = hwhash.TPM{Version: "1.2", Level: "2", Revision: "3", Vendor: "SYN", Firmware: "1"}.String()
		}, "old_tpm"},
		"no serial":          {func(r *hwhash.Report) { r.Serial = hwhash.Secret{} }, "empty_serial"},
		"blank serial":       {func(r *hwhash.Report) { r.Serial = hwhash.NewSecret("  ") }, "empty_serial"},
		"placeholder serial": {func(r *hwhash.Report) { r.Serial = hwhash.NewSecret("System Serial Number") }, "placeholder_serial"},
		"no manufacturer":    {func(r *hwhash.Report) { r.Manufacturer = "" }, "empty_manufacturer"},
		"no product":         {func(r *hwhash.Report) { r.Product = " " }, "empty_product"},
		"no tool":            {func(r *hwhash.Report) { r.Tool = nil }, "no_capture_time"},
		"Hyper-V guest": {func(r *hwhash.Report) {
			r.Manufacturer = "Microsoft Corporation"
			r.Product = "Virtual Machine"
		}, "virtual_machine"},
		"Surface": {func(r *hwhash.Report) {
			r.Manufacturer = "Microsoft Corporation"
			r.Product = "Surface Pro 11"
		}, ""},
		"VMware guest": {func(r *hwhash.Report) {
			r.Manufacturer = "VMware, Inc."
			r.Product = "VMware20,1"
		}, "virtual_machine"},
		"VirtualBox guest": {func(r *hwhash.Report) {
			r.Manufacturer = "innotek GmbH"
			r.Product = "VirtualBox"
		}, "virtual_machine"},
		"tool of another age": {func(r *hwhash.Report) { r.Tool = nil; r.Other = odd(hwhash.TypeTool) }, "no_capture_time,odd_record"},
		"UUID of 4 bytes":     {func(r *hwhash.Report) { r.UUID = hwhash.Secret{}; r.Other = odd(hwhash.TypeUUID) }, "odd_record"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := hwhash.Synthetic(7)
			test.change(&r)
			s := mustSummarize(t, mustEncode(t, r).Wire())
			if got := s.Warnings.String(); got != test.want {
				t.Errorf("warnings = %q, want %q", got, test.want)
			}
			for w := range s.Warnings.All() {
				if w.Advice() == "" {
					t.Errorf("%v has no advice", w)
				}
			}
		})
	}
}

// odd is a record whose value has a shape that nobody knows.
func odd(t hwhash.Type) []hwhash.Record {
	return []hwhash.Record{{Type: t, Value: hwhash.NewSecret("odd!")}}
}

func TestWarningsAt(t *testing.T) {
	s := mustSummarize(t, mustEncode(t, hwhash.Synthetic(7)).Wire())
	if got := s.WarningsAt(s.CapturedAt); got != s.Warnings {
		t.Errorf("captured now: %v", got)
	}
	if got := s.WarningsAt(s.CapturedAt.Add(-12 * time.Hour)); got.Has(hwhash.FutureCapture) {
		t.Error("a clock that is half a day ahead is normal: time zones")
	}
	if got := s.WarningsAt(s.CapturedAt.Add(-48 * time.Hour)); !got.Has(hwhash.FutureCapture) {
		t.Error("a capture two days ahead of now goes unnoticed")
	}
}

func TestSummarizeNothing(t *testing.T) {
	_, err := hwhash.Summarize(hwhash.Hash{})
	if !errors.Is(err, &hwhash.Error{Code: hwhash.CodeEmpty}) {
		t.Errorf("Summarize: %v", err)
	}
	if _, err = hwhash.Decode(hwhash.Hash{}); !errors.Is(err, &hwhash.Error{Code: hwhash.CodeEmpty}) {
		t.Errorf("Decode: %v", err)
	}
	var none hwhash.Summary
	if none.RevealSerial() != "" || none.HasEK() || none.RevealEKHash() != [32]byte{} || none.Digest() != [32]byte{} {
		t.Error("the zero Summary reveals something")
	}
}

func TestHasTPM2(t *testing.T) {
	r := hwhash.Synthetic(7)
	if !mustSummarize(t, mustEncode(t, r).Wire()).HasTPM2() {
		t.Error("a TPM 2.0 with key must do")
	}
	r.RemoveTPM()
	if mustSummarize(t, mustEncode(t, r).Wire()).HasTPM2() {
		t.Error("no TPM must not do")
	}
}

// A hash that has the key but not the id made from it names the same device.
func TestEKHashFromKeyAlone(t *testing.T) {
	for _, size := range []int{256, 1024} {
		r := hwhash.Synthetic(7)
		key := make([]byte, size)
		key[0] = 0x80
		r.SetEK(key)
		r.OfflineID = nil
		s := mustSummarize(t, mustEncode(t, r).Wire())
		if s.RevealEKHash() != sha256.Sum256(key) || !s.HasEK() {
			t.Errorf("the hash of a key of %d bytes is wrong", size)
		}
	}
}

// The fast path allocates the canonical bytes and what holds them, and nothing else.
func TestFastPathAllocations(t *testing.T) {
	wire := mustEncode(t, hwhash.Synthetic(7)).Wire()
	allocs := testing.AllocsPerRun(100, func() {
		h, err := hwhash.Parse(wire)
		if err != nil {
			t.Fatal(err)
		}
		s, err := hwhash.Summarize(h)
		if err != nil || s.RevealSerial() == "" || s.RevealEKHash() == [32]byte{} || s.RevealUUID() == [16]byte{} {
			t.Fatal("no summary", err)
		}
	})
	if allocs > 2 {
		t.Errorf("%v allocations, want 2 at most", allocs)
	}
}
