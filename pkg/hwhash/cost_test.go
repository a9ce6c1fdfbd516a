package hwhash_test

import (
	"encoding/base64"
	"runtime"
	"slices"
	"strings"
	"testing"

	"taxiway.example/pkg/hwhash"
)

// Hostile input costs memory in proportion to its size, and no more than a few hash buffers besides.
func TestMemoryIsBounded(t *testing.T) {
	var empty, adapters []hwhash.Record
	for len(empty) < 700 {
		empty = append(empty, hwhash.Record{Type: hwhash.Type(1000 + len(empty))})
	}
	for len(adapters) < 100 {
		// 14 bytes, of which the last four promise 4 GB of name.
		adapters = append(
			adapters,
			hwhash.Record{Type: hwhash.TypeAdapter, Value: hwhash.NewSecret(strings.Repeat("\xff", 14))},
		)
	}
	tests := map[string]string{
		"letters":          strings.Repeat("A", hwhash.MaxText),
		"megabytes":        strings.Repeat("A", 4<<20),
		"white space":      strings.Repeat(" ", hwhash.MaxText),
		"line per letter":  strings.Repeat("T\n", hwhash.MaxText/2),
		"labels":           strings.Repeat("hash:", hwhash.MaxText/5),
		"empty records":    framed(t, empty),
		"promised lengths": framed(t, adapters),
		"largest total": base64.StdEncoding.EncodeToString(
			[]byte("OA\xff\xff" + strings.Repeat("\x04\x00\x04\x00", 2900)),
		),
	}
	const factor, fixed = 20, 16 << 10
	for name, text := range tests {
		size := min(len(text), hwhash.MaxText)
		got := allocated(func() {
			// Whether it is refused is no matter here.
			_, _ = hwhash.Inspect(text)
			if h, err := hwhash.Parse(text); err == nil {
				_, _ = hwhash.Summarize(h)
			}
		})
		if got > uint64(factor*size+fixed) {
			t.Errorf("%s: %d bytes allocated for a text of %d", name, got, len(text))
		}
	}
}

func framed(t *testing.T, records []hwhash.Record) string {
	t.Helper()
	raw, err := hwhash.Frame(slices.Values(records))
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// allocated returns the bytes that work allocates. Other tests must not run beside it, so there is no t.Parallel here.
func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
