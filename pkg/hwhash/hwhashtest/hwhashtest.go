// Package hwhashtest makes up devices for tests.
package hwhashtest

import "taxiway.example/pkg/hwhash"

// TB is a test, a benchmark or a rapid check.
type TB interface {
	Helper()
	Fatal(args ...any)
}

// Synthetic returns the made-up device of the seed, changed as told, and its hash.
func Synthetic(t TB, seed uint64, change ...func(*hwhash.Report)) (hwhash.Report, hwhash.Hash) {
	t.Helper()
	r := hwhash.Synthetic(seed)
	for _, c := range change {
		if c != nil {
			c(&r)
		}
	}
	return r, Encode(t, r)
}

// Encode returns the hash of a report.
func Encode(t TB, r hwhash.Report) hwhash.Hash {
	t.Helper()
	h, err := hwhash.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
