package hwhash_test

import (
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"taxiway.example/pkg/hwhash"
)

// FuzzParse parses any text. Nearly all are refused, so what matters is how.
func FuzzParse(f *testing.F) {
	wire := mustEncode(f, hwhash.Synthetic(1)).Wire()
	for _, r := range captures() {
		f.Add(mustEncode(f, r).Wire())
	}
	for _, seed := range []string{
		"", wire, wire[:1200], "Hardware Hash: \"" + wire + "\"", fold(wire, 76, "\r\n"), wire[:400] + "-" + wire[401:],
		"\uFEFF" + wire[:52] + "==", "T0EEAENTJAA=", "T0H//w==", "5CG0000AAA",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := hwhash.Parse(text)
		if err == nil {
			checkHash(t, h)
			return
		}
		checkError(t, err, len(text))
		r, inspectErr := hwhash.Inspect(text)
		if inspectErr == nil || inspectErr.Error() != err.Error() {
			t.Fatalf("Inspect answers %v, Parse %v", inspectErr, err)
		}
		if len(r.Other)+len(r.Adapters)+len(r.Disks) > len(text) {
			t.Fatal("more records than characters")
		}
	})
}

// checkError holds err to what the contract of Parse says, for an input of n bytes.
func checkError(t *testing.T, err error, n int) {
	t.Helper()
	var e *hwhash.Error
	if !errors.As(err, &e) {
		t.Fatalf("%T instead of an Error", err)
	}
	if e.Offset < 0 || e.Offset > n || e.Records < 0 || e.Detail == "" || e.Code.Advice() == "" {
		t.Fatalf("%#v for an input of %d bytes", e, n)
	}
}

// FuzzRecords gets past the checksum: it fuzzes the records and puts a right trailer behind them.
func FuzzRecords(f *testing.F) {
	for seed := range uint64(3) {
		raw := mustEncode(f, hwhash.Synthetic(seed)).Canonical()
		f.Add(raw[4 : len(raw)-36])
	}
	for _, r := range captures() {
		raw := mustEncode(f, r).Canonical()
		f.Add(raw[4 : len(raw)-36])
	}
	f.Add([]byte{})
	f.Add(
		[]byte(
			"\x0c\x00\x04\x00\x0e\x00\x05\x00\x00\x0e\x00\x06\x00A\x00\xff\xff\x04\x00\x0b\x00\x0e\x00\x00\x00\x00\x00\x01\x00\xff\xff\xff\xff",
		),
	)
	f.Fuzz(func(t *testing.T, records []byte) {
		if len(records) > 0xFFFF-4 {
			return
		}
		raw := append([]byte("OA\x00\x00"), records...)
		binary.LittleEndian.PutUint16(raw[2:], uint16(len(raw)))
		h, err := hwhash.FromCanonical(reseal(raw))
		if err != nil {
			checkError(t, err, len(raw)+36)
			return
		}
		checkHash(t, h)
		checkRoundTrip(t, h)
	})
}

// checkRoundTrip demands that what Decode reads, Encode writes.
func checkRoundTrip(t *testing.T, h hwhash.Hash) {
	t.Helper()
	r, err := hwhash.Decode(h)
	if err != nil {
		t.Fatal(err)
	}
	again, err := hwhash.Encode(r)
	if errors.Is(err, &hwhash.Error{Code: hwhash.CodeTooLarge}) {
		return // repairing what is not UTF-8 and padding take room
	}
	if err != nil {
		t.Fatalf("Encode refuses what Decode read: %v", err)
	}
	got, err := hwhash.Decode(again)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, r) {
		t.Fatalf("Decode(Encode(r)) = %+v, want %+v", got, r)
	}
	checkHash(t, again)
}
