// Package collectortest writes device lists for tests.
package collectortest

import (
	"fmt"
	"io"
	"runtime"
	"strings"

	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/hwhash/hwhashtest"
)

// Header is the first line of a list as Intune wants it.
const Header = "Device Serial Number,Windows Product ID,Hardware Hash,Group Tag,Assigned User\r\n"

// Device makes up a device and returns its serial number and its hash as a list has them.
func Device(t hwhashtest.TB, seed uint64, change func(*hwhash.Report)) (serial, wire string) {
	t.Helper()
	r, h := hwhashtest.Synthetic(t, seed, change)
	return r.Serial.Reveal(), h.Wire()
}

// File writes the devices of the seeds.
func File(t hwhashtest.TB, seeds ...uint64) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(Header)
	for _, seed := range seeds {
		serial, wire := Device(t, seed, nil)
		fmt.Fprintf(&b, "%s,,%s,,\r\n", serial, wire)
	}
	return b.String()
}

// Seeds returns n seeds.
func Seeds(from, n uint64) []uint64 {
	list := make([]uint64, n)
	for i := range list {
		list[i] = from + uint64(i)
	}
	return list
}

// Repeated reads as a text and then a row, Left times over.
type Repeated struct {
	Head, Row string
	Left      int
}

// Read implements io.Reader.
func (r *Repeated) Read(p []byte) (int, error) {
	if r.Head == "" {
		if r.Left == 0 {
			return 0, io.EOF
		}
		r.Left--
		r.Head = r.Row
	}
	n := copy(p, r.Head)
	r.Head = r.Head[n:]
	return n, nil
}

// Alive returns the bytes on the heap that are in use.
func Alive() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
