package hwhash_test

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"taxiway.example/pkg/hwhash"
)

// The benchmarks report x-floor: how many times longer the work takes than what nobody can avoid, base64 decoding of
// the same text and SHA-256 of the same records, measured in turns with it.

func BenchmarkSummarize(b *testing.B) {
	against(b, func(wire string) error {
		h, err := hwhash.Parse(wire)
		if err != nil {
			return err
		}
		_, err = hwhash.Summarize(h)
		return err
	})
}

func BenchmarkDecode(b *testing.B) {
	against(b, func(wire string) error {
		h, err := hwhash.Parse(wire)
		if err != nil {
			return err
		}
		_, err = hwhash.Decode(h)
		return err
	})
}

func BenchmarkFloor(b *testing.B) {
	floor := newFloor(b)
	b.ReportAllocs()
	for b.Loop() {
		floor()
	}
}

func BenchmarkEncode(b *testing.B) {
	r := hwhash.Synthetic(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hwhash.Encode(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSynthetic(b *testing.B) {
	b.ReportAllocs()
	for seed := uint64(0); b.Loop(); seed++ {
		hwhash.Synthetic(seed)
	}
}

// newFloor returns the work that no decoder can avoid.
func newFloor(b *testing.B) func() {
	b.Helper()
	h := mustEncode(b, hwhash.Synthetic(1))
	wire := []byte(h.Wire())
	buf := make([]byte, hwhash.WireBytes)
	total := len(h.Canonical()) - 36
	return func() {
		if _, err := base64.StdEncoding.Decode(buf, wire); err != nil {
			b.Fatal(err)
		}
		sink = sha256.Sum256(buf[:total])
	}
}

// sink keeps the compiler from dropping the floor.
var sink [32]byte

// against measures work, and in turns of a hundred the floor beside it.
func against(b *testing.B, work func(wire string) error) {
	b.Helper()
	const turn = 100
	wire := mustEncode(b, hwhash.Synthetic(1)).Wire()
	floor := newFloor(b)
	var spent, least time.Duration
	b.ReportAllocs()
	n := 0
	start := time.Now()
	for b.Loop() {
		if err := work(wire); err != nil {
			b.Fatal(err)
		}
		if n++; n%turn == 0 {
			b.StopTimer()
			spent += time.Since(start)
			start = time.Now()
			for range turn {
				floor()
			}
			least += time.Since(start)
			b.StartTimer()
			start = time.Now()
		}
	}
	if least > 0 {
		b.ReportMetric(float64(spent)/float64(least), "x-floor")
	}
}
