package amqp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/google/go-cmp/cmp"
)

func performativeSamples() []Performative {
	n := uint32(300)
	ch := uint16(2)
	return []Performative{
		Open{"me", "host", 65536, 4999, 240000},
		Begin{&ch, 1, 5000, 5000, 255},
		Attach{
			Name: "l", Handle: 3, Role: RoleReceiver, SenderMode: SenderSettled, ReceiverMode: ReceiverSecond,
			Source: &Source{Address: "q", Filter: Map{{Symbol("f"), "x"}}}, Target: &Target{Address: "t"},
			InitialDeliveryCount: &n, MaxMessageSize: 1 << 18, Properties: Map{{Symbol("p"), uint32(1)}},
		},
		Flow{&n, 1, 2, 3, &n, &n, &n, &n, true, true},
		Transfer{
			Handle:        1,
			DeliveryID:    &n,
			DeliveryTag:   []byte("tag"),
			MessageFormat: &n,
			Settled:       true,
			More:          true,
			Aborted:       true,
			Payload:       []byte("payload"),
		},
		Disposition{RoleReceiver, 1, 9, true, Rejected{&Error{"c", "d", Map{{"k", "v"}}}}},
		Disposition{RoleSender, 1, 1, false, Modified{true, true, Map{{Symbol("k"), int64(1)}}}},
		Disposition{RoleSender, 1, 1, false, Accepted{}},
		Disposition{RoleSender, 1, 1, false, Released{}},
		Detach{1, true, &Error{Condition: "c"}},
		End{},
		Close{&Error{"c", "d", nil}},
	}
}

func TestPerformativesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, p := range performativeSamples() {
		b := AppendFrame(nil, TypeAMQP, 7, p)
		f, err := ReadFrame(bytes.NewReader(b), 65536)
		if err != nil || f.Channel != 7 || f.Type != TypeAMQP {
			t.Fatalf("%T: frame %+v, %v", p, f, err)
		}
		got, err := DecodePerformative(f.Body)
		if err != nil {
			t.Fatalf("%T: %v", p, err)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Errorf("%T: %s", p, diff)
		}
	}
}

func TestPerformativesRefused(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"not a composite":      uint32(1),
		"symbolic descriptor":  Described{Symbol("amqp:open:list"), List{}},
		"unknown":              Described{uint64(0x99), List{}},
		"not a list":           Described{uint64(codeOpen), Map{}},
		"mandatory missing":    composite(codeOpen),
		"wrong type":           composite(codeOpen, uint32(1)),
		"settle mode":          composite(codeAttach, "l", uint32(0), false, uint8(3)),
		"target is a source":   composite(codeAttach, "l", uint32(0), false, nil, nil, nil, composite(codeSource)),
		"source of wrong type": composite(codeAttach, "l", uint32(0), false, nil, nil, composite(codeSource, uint32(1))),
		"state unknown":        composite(codeDisposition, true, uint32(0), nil, nil, composite(codeOpen, "x")),
		"error unknown":        composite(codeClose, composite(codeOpen, "x")),
	} {
		if p, err := DecodePerformative(Append(nil, v)); !errors.Is(err, ErrDecode) {
			t.Errorf("%s: got %v, %v", name, p, err)
		}
	}
	trailing := append(Append(nil, End{}.described()), 0)
	if _, err := DecodePerformative(trailing); !errors.Is(err, ErrDecode) {
		t.Errorf("bytes after an end: %v", err)
	}
}

func TestFrameLimits(t *testing.T) {
	t.Parallel()
	frame := AppendFrame(nil, TypeAMQP, 0, End{})
	for name, change := range map[string]func([]byte){
		"too large":           func(b []byte) { b[0] = 1 },
		"smaller than header": func(b []byte) { b[3] = 7 },
		"offset too small":    func(b []byte) { b[4] = 1 },
		"offset too large":    func(b []byte) { b[4] = 200 },
		"type":                func(b []byte) { b[5] = 2 },
	} {
		b := bytes.Clone(frame)
		change(b)
		if _, err := ReadFrame(bytes.NewReader(b), 512); !errors.Is(err, ErrFraming) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for cut := range frame {
		if _, err := ReadFrame(bytes.NewReader(frame[:cut]), 512); !errors.Is(err, io.EOF) &&
			!errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes: %v", cut, err)
		}
	}
}

// TestMessageAgainstGoAMQP lets the client's own codec write messages, takes them
// apart and lets it read what comes out.
func TestMessageAgainstGoAMQP(t *testing.T) {
	t.Parallel()
	id := "id"
	group := "group"
	in := &goamqp.Message{
		Header:      &goamqp.MessageHeader{Durable: true, Priority: 4, TTL: 1e9},
		Annotations: goamqp.Annotations{"x-opt-a": int64(1)},
		Properties: &goamqp.MessageProperties{
			MessageID:     id,
			ReplyTo:       &id,
			CorrelationID: id,
			GroupID:       &group,
		},
		ApplicationProperties: map[string]any{"k": "v", "n": int32(5)},
		Data:                  [][]byte{[]byte("one"), []byte(strings.Repeat("two", 200))},
		Footer:                goamqp.Annotations{"f": "g"},
	}
	b, err := in.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	m, err := DecodeMessage(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Properties{id, nil, id, id, group}, m.Properties); diff != "" {
		t.Error(diff)
	}
	data, err := m.Data()
	if err != nil || len(data) != 2 || string(data[0]) != "one" {
		t.Errorf("data %q, %v", data, err)
	}
	m.SetApplication(m.Application.Set("k", "w").Set("new", true))
	var out goamqp.Message
	if err := out.UnmarshalBinary(m.Append(nil)); err != nil {
		t.Fatal(err)
	}
	in.ApplicationProperties["k"] = "w"
	in.ApplicationProperties["new"] = true
	for _, pair := range [][2]any{
		{in.Header, out.Header},
		{in.Annotations, out.Annotations},
		{in.Properties, out.Properties},
		{in.ApplicationProperties, out.ApplicationProperties},
		{in.Data, out.Data},
		{in.Footer, out.Footer},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMessageRefused(t *testing.T) {
	t.Parallel()
	section := func(code uint64, v any) []byte { return Append(nil, Described{code, v}) }
	data := section(codeData, []byte{1})
	value := section(codeValue, "v")
	for name, b := range map[string][]byte{
		"not a section":      Append(nil, "x"),
		"unknown section":    section(0x79, "x"),
		"two values":         append(bytes.Clone(value), value...),
		"data then value":    append(bytes.Clone(data), value...),
		"header after body":  append(bytes.Clone(data), section(codeHeader, List{})...),
		"header not a list":  section(codeHeader, Map{}),
		"header wrong type":  section(codeHeader, List{"x"}),
		"annotations no map": section(codeMessageAnnotations, List{}),
		"group not a string": section(codeProperties, List{nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, uint32(1)}),
		"data not binary":    section(codeData, "x"),
		"sequence no list":   section(codeSequence, "x"),
	} {
		if m, err := DecodeMessage(b); !errors.Is(err, ErrDecode) {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
	}
	if _, err := DecodeMessage(append(append(bytes.Clone(data), data...), section(codeFooter, Map{})...)); err != nil {
		t.Errorf("two data sections and a footer: %v", err)
	}
}

func TestSetMessageID(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]*goamqp.Message{
		"without properties": {Data: [][]byte{[]byte("x")}},
		"with others":        {Properties: &goamqp.MessageProperties{Subject: new(string), ContentType: new(string)}, Data: [][]byte{[]byte("x")}},
	} {
		b, err := in.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		m, err := DecodeMessage(b)
		if err != nil {
			t.Fatal(err)
		}
		m.SetMessageID("id")
		var out goamqp.Message
		if err := out.UnmarshalBinary(m.Append(nil)); err != nil {
			t.Fatal(err)
		}
		want := goamqp.MessageProperties{}
		if in.Properties != nil {
			want = *in.Properties
		}
		want.MessageID = "id"
		if diff := cmp.Diff(&want, out.Properties); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
