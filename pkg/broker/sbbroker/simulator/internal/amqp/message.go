package amqp

import (
	"fmt"
	"math"
)

// Descriptor codes of the sections of a message, in their order (§3.2).
const (
	codeHeader              = 0x70
	codeDeliveryAnnotations = 0x71
	codeMessageAnnotations  = 0x72
	codeProperties          = 0x73
	codeApplication         = 0x74
	codeData                = 0x75
	codeSequence            = 0x76
	codeValue               = 0x77
	codeFooter              = 0x78
)

// Header is the transport header of a message (§3.2.1).
type Header struct {
	Durable       bool
	Priority      *uint8
	TTL           *uint32 // milliseconds
	DeliveryCount uint32
}

// Properties are the immutable properties the simulator has to read (§3.2.4).
type Properties struct {
	MessageID     any
	To            any
	ReplyTo       any
	CorrelationID any
	GroupID       string
}

// Message is a message taken apart. Everything an intermediary must not touch
// (§3.2) is kept byte for byte.
type Message struct {
	Header              Header
	DeliveryAnnotations Map
	Annotations         Map
	Properties          Properties
	Application         Map

	properties  []byte // the section as it came
	application []byte // the section as it came, or as SetApplication made it
	body        []byte // data, sequence, value and footer sections
}

// DecodeMessage takes an encoded message apart. It keeps slices of b.
func DecodeMessage(b []byte) (*Message, error) {
	m := &Message{}
	last := uint64(0)
	for pos := 0; pos < len(b); {
		v, n, err := Decode(b[pos:])
		if err != nil {
			return nil, err
		}
		code, err := sectionCode(v)
		if err != nil {
			return nil, err
		}
		repeats := code == last && (code == codeData || code == codeSequence)
		if code <= last && !repeats || last >= codeData && code < codeFooter && !repeats {
			return nil, fmt.Errorf("%w: section %#x after %#x", ErrDecode, code, last)
		}
		last = code
		if err := m.section(code, v.(Described).Value, b[pos:pos+n]); err != nil {
			return nil, err
		}
		pos += n
	}
	return m, nil
}

func sectionCode(v any) (uint64, error) {
	d, ok := v.(Described)
	if !ok {
		return 0, fmt.Errorf("%w: %T where a message section belongs", ErrDecode, v)
	}
	code, ok := d.Descriptor.(uint64)
	if !ok || code < codeHeader || code > codeFooter {
		return 0, fmt.Errorf("%w: message section %v", ErrDecode, d.Descriptor)
	}
	return code, nil
}

func (m *Message) section(code uint64, v any, raw []byte) error {
	ok := true
	switch code {
	case codeHeader:
		return m.readHeader(v)
	case codeDeliveryAnnotations:
		m.DeliveryAnnotations, ok = v.(Map)
	case codeMessageAnnotations:
		m.Annotations, ok = v.(Map)
	case codeProperties:
		m.properties = raw
		return m.readProperties(v)
	case codeApplication:
		m.application = raw
		m.Application, ok = v.(Map)
	case codeData:
		_, ok = v.([]byte)
		m.body = append(m.body, raw...)
	case codeSequence:
		_, ok = v.(List)
		m.body = append(m.body, raw...)
	default:
		m.body = append(m.body, raw...)
	}
	if !ok {
		return fmt.Errorf("%w: section %#x holds a %T", ErrDecode, code, v)
	}
	return nil
}

func (m *Message) readHeader(v any) error {
	items, ok := v.(List)
	if !ok {
		return fmt.Errorf("%w: header holds a %T", ErrDecode, v)
	}
	f := &fields{name: "header", items: items}
	m.Header = Header{field(f, 0, false), optional[uint8](f, 1), optional[uint32](f, 2), field(f, 4, uint32(0))}
	return f.err
}

func (m *Message) readProperties(v any) error {
	items, ok := v.(List)
	if !ok {
		return fmt.Errorf("%w: properties hold a %T", ErrDecode, v)
	}
	f := &fields{name: "properties", items: items}
	m.Properties = Properties{
		MessageID:     f.item(0),
		To:            f.item(2),
		ReplyTo:       f.item(4),
		CorrelationID: f.item(5),
		GroupID:       field(f, 10, ""),
	}
	return f.err
}

// SetApplication replaces the application properties.
func (m *Message) SetApplication(properties Map) {
	m.Application = properties
	m.application = nil
	if len(properties) > 0 {
		m.application = Append(nil, Described{uint64(codeApplication), properties})
	}
}

// SetMessageID replaces the message id and leaves the other properties as they are.
func (m *Message) SetMessageID(id string) {
	items := List{nil}
	if v, _, err := Decode(m.properties); err == nil {
		if old := v.(Described).Value.(List); len(old) > 0 {
			items = append(List(nil), old...)
		}
	}
	items[0] = id
	m.Properties.MessageID = id
	m.properties = Append(nil, Described{uint64(codeProperties), items})
}

// ApplicationSize is the encoded size of the application properties.
func (m *Message) ApplicationSize() int { return len(m.application) }

// Append encodes the message and appends it to b.
func (m *Message) Append(b []byte) []byte {
	h := m.Header
	b = Append(b, composite(codeHeader, h.Durable, opt(h.Priority), opt(h.TTL), nil, h.DeliveryCount))
	if len(m.DeliveryAnnotations) > 0 {
		b = Append(b, Described{uint64(codeDeliveryAnnotations), m.DeliveryAnnotations})
	}
	if len(m.Annotations) > 0 {
		b = Append(b, Described{uint64(codeMessageAnnotations), m.Annotations})
	}
	b = append(b, m.properties...)
	b = append(b, m.application...)
	return append(b, m.body...)
}

// Size is an estimate of the encoded size that does not encode.
func (m *Message) Size() int {
	const annotations = 128
	return annotations + len(m.properties) + len(m.application) + len(m.body)
}

// Data returns the data sections of the body.
func (m *Message) Data() ([][]byte, error) {
	var out [][]byte
	err := m.eachBody(func(code uint64, v any) {
		if data, ok := v.([]byte); ok && code == codeData {
			out = append(out, data)
		}
	})
	return out, err
}

// Value returns the body of a message whose body is one amqp-value section.
func (m *Message) Value() (any, error) {
	var out any
	err := m.eachBody(func(code uint64, v any) {
		if code == codeValue {
			out = v
		}
	})
	return out, err
}

func (m *Message) eachBody(visit func(code uint64, v any)) error {
	for pos := 0; pos < len(m.body); {
		v, n, err := Decode(m.body[pos:])
		if err != nil {
			return err
		}
		code, err := sectionCode(v)
		if err != nil {
			return err
		}
		visit(code, v.(Described).Value)
		pos += n
	}
	return nil
}

// NewValueMessage makes a message with an amqp-value body, as the replies of
// request-response nodes are.
func NewValueMessage(p Properties, application Map, value any) *Message {
	m := &Message{Properties: p}
	m.properties = Append(nil, composite(codeProperties, p.MessageID, nil, p.To, nil, p.ReplyTo, p.CorrelationID))
	m.SetApplication(application)
	m.body = Append(nil, Described{uint64(codeValue), value})
	return m
}

// Clone copies the message so that annotations and application properties of
// the copy can be replaced. The bytes are shared: nobody writes into them.
func (m *Message) Clone() *Message {
	c := *m
	return &c
}

// Milliseconds clips a duration in milliseconds to what a header can carry.
func Milliseconds(ms int64) uint32 {
	return uint32(min(max(ms, 0), math.MaxUint32))
}
