package demofile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"testing"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
)

func TestFileHasOneOfEverything(t *testing.T) {
	t.Parallel()
	f, err := Generate(40, 1)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(f.CSV)).ReadAll()
	if err != nil || len(rows) != 41 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	codes := map[hwhash.Code]int{}
	identities := map[device.Key]int{}
	mismatch := 0
	nameless := 0
	for _, row := range rows[1:] {
		h, err := hwhash.Parse(row[2])
		if e, bad := errors.AsType[*hwhash.Error](err); bad {
			codes[e.Code]++
			continue
		}
		s, err := hwhash.Summarize(h)
		if err != nil {
			t.Fatal(err)
		}
		identifiers := device.IdentifiersOf(s)
		if identifiers.Serial.Fold() != device.NewSerial(row[0]).Fold() {
			mismatch++
			continue
		}
		key, _, err := device.Identify(identifiers)
		if err != nil {
			nameless++
			continue
		}
		identities[key]++
	}
	if codes[hwhash.CodeChecksumMismatch] != 1 || codes[hwhash.CodeTruncated] != 1 || mismatch != 1 || nameless != 1 {
		t.Errorf("codes %v, mismatch %d, nameless %d", codes, mismatch, nameless)
	}
	twice := 0
	for _, n := range identities {
		if n == 2 {
			twice++
		}
	}
	if twice != 2 || len(identities) != 34 {
		t.Errorf("%d identities, %d of them twice", len(identities), twice)
	}
}

func TestSameSeedSameFile(t *testing.T) {
	t.Parallel()
	a, errA := Generate(MinRows, 7)
	b, errB := Generate(MinRows, 7)
	c, errC := Generate(MinRows, 8)
	if err := errors.Join(errA, errB, errC); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.CSV, b.CSV) || bytes.Equal(a.CSV, c.CSV) {
		t.Error("the file must depend on the seed and on nothing else")
	}
	if _, err := Generate(MinRows-1, 1); err == nil {
		t.Error("a file without room for everything was made")
	}
}
