package hwhash_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"taxiway.example/pkg/hwhash"
)

func mustEncode(tb testing.TB, r hwhash.Report) hwhash.Hash {
	tb.Helper()
	h, err := hwhash.Encode(r)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func TestParseForgivesTransport(t *testing.T) {
	want := mustEncode(t, hwhash.Synthetic(1))
	wire := want.Wire()
	canonical := base64.StdEncoding.EncodeToString(want.Canonical())
	tests := map[string]string{
		"clean":             wire,
		"canonical only":    canonical,
		"no padding":        strings.TrimRight(canonical, "="),
		"too much padding":  strings.TrimRight(canonical, "=") + "===",
		"cut zero tail":     wire[:len(wire)-1001],
		"one digit over":    strings.TrimRight(wire, "A") + "AAA",
		"longer zero tail":  wire + strings.Repeat("A", 4000),
		"outer white space": " \t\r\n" + wire + "\n\n",
		"lines of 76":       fold(wire, 76, "\r\n"),
		"lines with blanks": fold(wire, 64, " \n "),
		"byte order mark":   "\uFEFF" + wire,
		"quotes":            `"` + wire + `"`,
		"typographic":       "\u201C" + wire + "\u201D",
		"apostrophe":        "'" + wire,
		"no-break space":    "\u00A0" + wire + "\u00A0",
		"label":             "Hardware Hash: " + wire,
		"label with blank":  "hardware hash :" + wire,
		"quoted label":      `"HardwareHash": "` + wire + `"`,
		"property name":     "DeviceHardwareData : " + fold(wire, 80, "\r\n                     "),
		"BOM, label, lines": "\uFEFFHardware Hash:\r\n" + fold(wire, 100, "\r\n"),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := hwhash.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(want) || got.Wire() != wire {
				t.Error("another hash came out")
			}
			if fromBytes, err := hwhash.ParseBytes([]byte(text)); err != nil || !fromBytes.Equal(want) {
				t.Errorf("ParseBytes differs: %v", err)
			}
		})
	}
}

// fold breaks text into lines of n characters.
func fold(text string, n int, newline string) string {
	var lines []string
	for chunk := range slices.Chunk([]byte(text), n) {
		lines = append(lines, string(chunk))
	}
	return strings.Join(lines, newline)
}

func TestParseRefuses(t *testing.T) {
	h := mustEncode(t, hwhash.Synthetic(1))
	wire := h.Wire()
	raw := h.Canonical()
	total := len(raw) - 36
	var records int
	for range h.Records() {
		records++
	}
	flip := func(at int) string {
		changed := bytes.Clone(raw)
		changed[at] ^= 0x20
		return base64.StdEncoding.EncodeToString(changed)
	}
	cut := func(n int) string { return base64.StdEncoding.EncodeToString(raw[:n]) }
	tests := map[string]struct {
		text string
		want hwhash.Error
	}{
		"nothing":            {"", hwhash.Error{Code: hwhash.CodeEmpty}},
		"white space":        {" \r\n\t", hwhash.Error{Code: hwhash.CodeEmpty}},
		"label only":         {"Hardware Hash:", hwhash.Error{Code: hwhash.CodeEmpty}},
		"a file":             {strings.Repeat("A", hwhash.MaxText+1), hwhash.Error{Code: hwhash.CodeTooLarge, Offset: hwhash.MaxText}},
		"a dash":             {wire[:100] + "-" + wire[101:], hwhash.Error{Code: hwhash.CodeNotBase64, Offset: 100}},
		"another label":      {"Serial: " + wire, hwhash.Error{Code: hwhash.CodeNotBase64, Offset: 6}},
		"not UTF-8":          {wire[:8] + "\xff" + wire[8:], hwhash.Error{Code: hwhash.CodeNotBase64, Offset: 8}},
		"control character":  {wire[:8] + "\x00" + wire[8:], hwhash.Error{Code: hwhash.CodeNotBase64, Offset: 8}},
		"two padded values":  {"QUI=" + "QUI=", hwhash.Error{Code: hwhash.CodeNotBase64, Offset: 4}},
		"a serial":           {"5CG0000AAA", hwhash.Error{Code: hwhash.CodeNoMagic}},
		"XML":                {base64.StdEncoding.EncodeToString([]byte("<?xml?>")), hwhash.Error{Code: hwhash.CodeNoMagic}},
		"magic only":         {cut(2), hwhash.Error{Code: hwhash.CodeTruncated, Offset: 2}},
		"cut in a record":    {cut(36), hwhash.Error{Code: hwhash.CodeTruncated, Offset: 36, Records: 1}},
		"cut at the trailer": {cut(total), hwhash.Error{Code: hwhash.CodeChecksumMissing, Offset: total, Records: records}},
		"cut in the trailer": {cut(total + 20), hwhash.Error{Code: hwhash.CodeChecksumMissing, Offset: total + 20, Records: records}},
		"zeros for trailer":  {base64.StdEncoding.EncodeToString(append(bytes.Clone(raw[:total]), make([]byte, 100)...)), hwhash.Error{Code: hwhash.CodeChecksumMissing, Offset: total, Records: records}},
		"changed value":      {flip(total - 3), hwhash.Error{Code: hwhash.CodeChecksumMismatch, Offset: total, Records: records}},
		"changed checksum":   {flip(total + 10), hwhash.Error{Code: hwhash.CodeChecksumMismatch, Offset: total, Records: records}},
		"two hashes":         {wire + wire, hwhash.Error{Code: hwhash.CodeTrailingData, Offset: total + 36, Records: records}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := hwhash.Parse(test.text)
			wantError(t, err, &test.want)
			if !got.IsZero() {
				t.Error("a hash came with the error")
			}
			if !errors.Is(err, &hwhash.Error{Code: test.want.Code}) || errors.Is(err, &hwhash.Error{Code: "other"}) {
				t.Error("errors.Is does not go by code")
			}
		})
	}
}

func TestFromCanonicalRefuses(t *testing.T) {
	long := hwhash.Record{Type: 99, Value: hwhash.NewSecret(strings.Repeat("x", 100))}
	framed, err := hwhash.Frame(slices.Values([]hwhash.Record{long, long}))
	if err != nil {
		t.Fatal(err)
	}
	// Both bring their checksum into line: what is wrong is inside.
	runsOver := bytes.Clone(framed[:len(framed)-36])
	binary.LittleEndian.PutUint16(runsOver[4+104+2:], 105)
	tooShort := bytes.Clone(framed[:len(framed)-36])
	binary.LittleEndian.PutUint16(tooShort[4+104+2:], 3)
	tests := map[string]struct {
		raw  []byte
		want hwhash.Error
	}{
		"nil":              {nil, hwhash.Error{Code: hwhash.CodeNoMagic}},
		"impossible total": {[]byte("OA\x03\x00CS"), hwhash.Error{Code: hwhash.CodeBadRecord, Offset: 2}},
		"total too large":  {[]byte("OA\xff\xff"), hwhash.Error{Code: hwhash.CodeTooLarge, Offset: 2}},
		"record runs over": {reseal(runsOver), hwhash.Error{Code: hwhash.CodeBadRecord, Offset: 108, Records: 1}},
		"record too short": {reseal(tooShort), hwhash.Error{Code: hwhash.CodeBadRecord, Offset: 108, Records: 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := hwhash.FromCanonical(test.raw)
			wantError(t, err, &test.want)
		})
	}
}

func TestEKMismatch(t *testing.T) {
	r := hwhash.Synthetic(1)
	r.EK = hwhash.Synthetic(2).EK
	_, err := hwhash.Encode(r)
	if !errors.Is(err, &hwhash.Error{Code: hwhash.CodeEKMismatch}) {
		t.Errorf("error = %v, want ek_mismatch", err)
	}
	r.OfflineID.Kind = 2 // made from something else: nothing to compare
	if _, err := hwhash.Encode(r); err != nil {
		t.Errorf("an id made from a UEFI variable: %v", err)
	}
}

// A checksum may end in zero bytes, which a tool that trims the tail takes away with it.
func TestChecksumEndingInZeros(t *testing.T) {
	for seed := uint64(0); ; seed++ {
		h := mustEncode(t, hwhash.Synthetic(seed))
		trimmed := bytes.TrimRight(h.Canonical(), "\x00")
		if len(trimmed) == len(h.Canonical()) {
			continue
		}
		got, err := hwhash.FromCanonical(trimmed)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal(h) || got.Digest() != h.Digest() {
			t.Error("another hash came out")
		}
		return
	}
}

// Every prefix of a hash is refused, until nothing but zeros is missing.
func TestEveryCutIsNoticed(t *testing.T) {
	raw := mustEncode(t, hwhash.Synthetic(1)).Canonical()
	for n := range len(raw) {
		if _, err := hwhash.FromCanonical(raw[:n]); err == nil {
			t.Errorf("a cut after %d of %d bytes goes unnoticed", n, len(raw))
		}
	}
}

// Every changed bit is noticed.
func TestEveryFlipIsNoticed(t *testing.T) {
	raw := mustEncode(t, hwhash.Synthetic(1)).Canonical()
	for at := range raw {
		for bit := range 8 {
			raw[at] ^= 1 << bit
			if _, err := hwhash.FromCanonical(raw); err == nil {
				t.Errorf("bit %d of byte %d goes unnoticed", bit, at)
			}
			raw[at] ^= 1 << bit
		}
	}
}
