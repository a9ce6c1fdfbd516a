package hwhash_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"taxiway.example/pkg/hwhash"
)

// reports draws reports with any field set or not, to any value a hash can hold.
func reports() *rapid.Generator[hwhash.Report] {
	return rapid.Custom(func(t *rapid.T) hwhash.Report {
		r := hwhash.Report{
			CPUMaker: text(t), CPUName: text(t), TPM: text(t), FirmwareVendor: text(t), Manufacturer: text(t),
			Product: text(t), SKU: text(t), Family: text(t), SystemVersion: text(t), BoardMaker: text(t),
			BoardProduct: text(t), BoardVersion: text(t), ProductKeyPart: text(t),
			Serial: secretText(t), ProductKeyID: secretText(t), Text36: secretText(t),
			Tool:            maybe(t, tool),
			CPU:             maybe(t, fill[hwhash.CPU]()),
			HybridCPU:       some(t, fill[hwhash.CoreClass]()),
			Memory:          maybe(t, fill[hwhash.Memory]()),
			Disks:           some(t, fill[hwhash.Disk]()),
			DiskNames:       some(t, diskName),
			KernelDiskNames: some(t, diskName),
			Adapters:        some(t, adapter),
			Displays:        some(t, fill[hwhash.Display]()),
			DisplaySizes:    some(t, fill[hwhash.DisplaySize]()),
			Chassis:         maybe(t, fill[hwhash.Chassis]()),
			GPU:             maybe(t, fill[hwhash.GPU]()),
			GPUName:         maybe(t, gpuName),
			Other:           some(t, unknownRecord),
		}
		if rapid.Bool().Draw(t, "ek") {
			r.SetEK(bytesOf(t, 1, 300))
		}
		if rapid.Bool().Draw(t, "uuid") {
			r.UUID = hwhash.NewSecret(string(bytesOf(t, 16, 16)))
		}
		return r
	})
}

func text(t *rapid.T) string {
	return rapid.StringMatching(`[A-Za-z0-9 _.,\-äß語\x{FFFD}]{0,12}`).Draw(t, "text")
}

func secretText(t *rapid.T) hwhash.Secret { return hwhash.NewSecret(text(t)) }

func bytesOf(t *rapid.T, least, most int) []byte {
	return rapid.SliceOfN(rapid.Byte(), least, most).Draw(t, "bytes")
}

func fill[T any]() func(*rapid.T) T {
	return func(t *rapid.T) T { return rapid.Make[T]().Draw(t, "struct") }
}

func maybe[T any](t *rapid.T, draw func(*rapid.T) T) *T {
	if !rapid.Bool().Draw(t, "there") {
		return nil
	}
	v := draw(t)
	return &v
}

func some[T any](t *rapid.T, draw func(*rapid.T) T) []T {
	var list []T
	for range rapid.IntRange(0, 3).Draw(t, "n") {
		list = append(list, draw(t))
	}
	return list
}

func tool(t *rapid.T) hwhash.Tool {
	return hwhash.Tool{
		Build:        fill[hwhash.Version]()(t),
		OSBuild:      fill[hwhash.Version]()(t),
		CapturedAt:   time.Unix(946684800+int64(rapid.Uint32().Draw(t, "time")), 0).UTC(),
		ZoneQuarters: rapid.Int8().Draw(t, "zone"),
		OSType:       hwhash.OSType(rapid.Uint8().Draw(t, "os")),
		Architecture: rapid.Uint8().Draw(t, "arch"),
		ToolVersion:  rapid.Uint8().Draw(t, "version"),
	}
}

func diskName(t *rapid.T) hwhash.DiskName {
	return hwhash.DiskName{Serial: secretText(t), Model: text(t), Vendor: text(t)}
}

func adapter(t *rapid.T) hwhash.Adapter {
	return hwhash.Adapter{
		Medium: rapid.Uint32().Draw(t, "medium"), MAC: hwhash.NewSecret(string(bytesOf(t, 6, 6))), Enumerator: text(t),
	}
}

func gpuName(t *rapid.T) hwhash.GPUName { return hwhash.GPUName{Vendor: text(t), Name: text(t)} }

func unknownRecord(t *rapid.T) hwhash.Record {
	return hwhash.Record{
		Type:  hwhash.Type(rapid.Uint16Range(40, 0xFFFF).Draw(t, "type")),
		Value: hwhash.NewSecret(string(bytesOf(t, 0, 40))),
	}
}

func TestDecodeEncodeGivesTheReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := reports().Draw(t, "report")
		h, err := hwhash.Encode(r)
		if errors.Is(err, &hwhash.Error{Code: hwhash.CodeTooLarge}) {
			t.Skip("does not fit")
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := hwhash.Decode(h)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Fatalf("Decode(Encode(r)) differs (-r +got):\n%s", diff)
		}
		checkHash(t, h)
	})
}

// checkHash holds h to the laws that every hash must keep.
func checkHash(t interface {
	Helper()
	Fatalf(string, ...any)
}, h hwhash.Hash,
) {
	t.Helper()
	wire := h.Wire()
	least := (len(h.Canonical()) + 2) / 3 * 4
	if len(wire) != max(hwhash.WireChars, least) || strings.HasSuffix(wire, "=") {
		t.Fatalf("Wire has %d characters", len(wire))
	}
	fromWire, err := hwhash.Parse(wire)
	if err != nil || !fromWire.Equal(h) || fromWire.Wire() != wire || fromWire.Digest() != h.Digest() {
		t.Fatalf("Parse(Wire) is another hash: %v", err)
	}
	fromCanonical, err := hwhash.FromCanonical(h.Canonical())
	if err != nil || !fromCanonical.Equal(h) {
		t.Fatalf("FromCanonical(Canonical) is another hash: %v", err)
	}
	framed, err := hwhash.Frame(h.Records())
	if err != nil || string(framed) != string(h.Canonical()) {
		t.Fatalf("Frame(Records) is another hash: %v", err)
	}
	checkSummary(t.Fatalf, h)
}

// checkSummary compares the fast path with the full decoder.
func checkSummary(fatalf func(string, ...any), h hwhash.Hash) {
	s, err := hwhash.Summarize(h)
	if err != nil {
		fatalf("Summarize: %v", err)
	}
	r, err := hwhash.Decode(h)
	if err != nil {
		fatalf("Decode: %v", err)
	}
	uuid := s.RevealUUID()
	wantUUID := r.UUID.Reveal()
	if wantUUID == "" {
		wantUUID = strings.Repeat("\x00", 16)
	}
	same := s.RevealSerial() == strings.TrimSpace(r.Serial.Reveal()) &&
		s.RevealProductKeyID() == strings.TrimSpace(r.ProductKeyID.Reveal()) &&
		s.Manufacturer == strings.TrimSpace(r.Manufacturer) && s.Product == strings.TrimSpace(r.Product) &&
		string(uuid[:]) == wantUUID && s.Digest() == h.Digest()
	if r.Tool != nil {
		same = same && s.CapturedAt.Equal(r.Tool.CapturedAt) && s.OSType == r.Tool.OSType
	}
	if id := r.OfflineID; id != nil && id.Status == 0 && id.Kind == 1 && len(id.ID.Reveal()) == 32 {
		ek := s.RevealEKHash()
		same = same && s.HasEK() && string(ek[:]) == id.ID.Reveal()
	}
	if !same || s.CapturedAt.IsZero() != (r.Tool == nil) {
		fatalf("Summarize and Decode disagree")
	}
	checkTPMWarnings(fatalf, s)
}

// checkTPMWarnings demands exactly one warning where the TPM key is missing, and that of WinPE for captures in WinPE
// only.
func checkTPMWarnings(fatalf func(string, ...any), s hwhash.Summary) {
	var given []hwhash.Warning
	for _, w := range []hwhash.Warning{hwhash.NoTPM, hwhash.NoEK, hwhash.WinPECapture} {
		if s.Warnings.Has(w) {
			given = append(given, w)
		}
	}
	inWinPE := !s.HasEK() && s.OSType == hwhash.WinPE
	if (len(given) == 0) != s.HasEK() || len(given) > 1 || s.Warnings.Has(hwhash.WinPECapture) != inWinPE {
		fatalf("TPM key: %v, OS type %d, warnings %v", s.HasEK(), s.OSType, s.Warnings)
	}
}

// Unknown records are kept where they can be kept, and never stop a hash.
func TestUnknownRecordsAreKept(t *testing.T) {
	r := hwhash.Synthetic(3)
	r.Other = []hwhash.Record{
		{Type: 4711, Value: hwhash.NewSecret("what comes next")},
		{Type: hwhash.TypeSerial, Value: hwhash.NewSecret("OTHER\x00")},
		{Type: hwhash.TypeUnnamed37, Value: hwhash.NewSecret("")},
	}
	h := mustEncode(t, r)
	got, err := hwhash.Decode(h)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Other, r.Other) || got.Serial != r.Serial {
		t.Errorf("Other = %v, serial is the first: %v", got.Other, got.Serial == r.Serial)
	}
	s, err := hwhash.Summarize(h)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Warnings.String(); got != "repeated_record,unknown_record" || s.RevealSerial() != r.Serial.Reveal() {
		t.Errorf("warnings = %q", got)
	}
}

// Whatever a record holds, nothing of it breaks a decoder, and what is read is written again.
func TestRecordsOfAnyShape(t *testing.T) {
	for kind := range hwhash.TypeUnnamed38 + 3 {
		for n := range 32 {
			for _, fill := range []string{"\x00", "\x01", "A", "|", "\xFF"} {
				record := hwhash.Record{Type: kind, Value: hwhash.NewSecret(strings.Repeat(fill, n))}
				raw, err := hwhash.Frame(slices.Values([]hwhash.Record{record, record}))
				if err != nil {
					t.Fatal(err)
				}
				h, err := hwhash.FromCanonical(raw)
				if err != nil {
					t.Fatalf("record %d, %d times %q: %v", kind, n, fill, err)
				}
				checkRoundTrip(t, h)
			}
		}
	}
}
