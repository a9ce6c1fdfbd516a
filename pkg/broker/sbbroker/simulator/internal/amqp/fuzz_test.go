package amqp

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode holds that decoding any bytes ends soon and without a panic, and
// that what was decoded survives an encoding.
func FuzzDecode(f *testing.F) {
	f.Add(Append(nil, List{nil, Map{{Symbol("a"), Array{int64(1), int64(2)}}}, Described{uint64(1), "x"}}))
	f.Add([]byte{0xf0, 0, 0, 0, 5, 0, 0xff, 0xff, 0xff, 0x40})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, _, err := Decode(b)
		if err != nil {
			return
		}
		again, _, err := Decode(Append(nil, v))
		if err != nil {
			t.Fatalf("%v does not decode again: %v", v, err)
		}
		if diff := cmp.Diff(v, again, same()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzPerformative does the same for frame bodies.
func FuzzPerformative(f *testing.F) {
	for _, p := range performativeSamples() {
		f.Add(AppendFrame(nil, TypeAMQP, 0, p))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := ReadFrame(bytes.NewReader(b), 65536)
		if err != nil {
			return
		}
		p, err := DecodePerformative(frame.Body)
		if err != nil {
			return
		}
		if d, ok := p.(Disposition); ok {
			if _, partial := d.State.(Received); partial {
				return // the simulator never sends it
			}
		}
		if a, ok := p.(Attach); ok && a.Coordinator {
			return // nor this
		}
		frame, err = ReadFrame(bytes.NewReader(AppendFrame(nil, TypeAMQP, 0, p)), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodePerformative(frame.Body); err != nil {
			t.Fatalf("%+v does not decode again: %v", p, err)
		}
	})
}

// FuzzMessage does the same for messages.
func FuzzMessage(f *testing.F) {
	f.Add(NewValueMessage(Properties{MessageID: "m", ReplyTo: "r"}, Map{{"k", "v"}}, Map{{"a", int64(1)}}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := DecodeMessage(b)
		if err != nil {
			return
		}
		if _, err := m.Data(); err != nil {
			t.Fatal(err)
		}
		again, err := DecodeMessage(m.Append(nil))
		if err != nil {
			t.Fatalf("does not decode again: %v", err)
		}
		if diff := cmp.Diff(m.Application, again.Application, same()); diff != "" {
			t.Fatal(diff)
		}
	})
}
