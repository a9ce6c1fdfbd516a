package amqp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrDecode is wrapped by every error of this package that says the peer's
// bytes are not AMQP (the condition amqp:decode-error, §2.8.15).
var ErrDecode = errors.New("amqp: malformed data")

// maxDepth bounds nesting; nothing the protocol defines comes near it.
const maxDepth = 32

// decoder reads values from buf. budget bounds the number of values, because an
// array of a zero-width type can claim four billion items in a few bytes.
type decoder struct {
	buf    []byte
	pos    int
	depth  int
	budget int
}

func newDecoder(b []byte) *decoder {
	return &decoder{buf: b, budget: 2*len(b) + 64}
}

// Decode reads one value from the start of b and returns how many bytes it took.
func Decode(b []byte) (v any, n int, err error) {
	d := newDecoder(b)
	v, err = d.value()
	return v, d.pos, err
}

func (d *decoder) fail(format string, args ...any) error {
	return fmt.Errorf("%w: %s at byte %d", ErrDecode, fmt.Sprintf(format, args...), d.pos)
}

// constructor is what precedes a value: its format code and, outermost first,
// the descriptors around it (§1.2).
type constructor struct {
	code        byte
	descriptors []any
}

func (d *decoder) value() (any, error) {
	c, err := d.constructor()
	if err != nil {
		return nil, err
	}
	return d.described(c)
}

func (d *decoder) constructor() (constructor, error) {
	var c constructor
	for {
		code, err := d.byte()
		if err != nil {
			return c, err
		}
		if code != codeDescribed {
			c.code = code
			return c, nil
		}
		if len(c.descriptors) == maxDepth {
			return c, d.fail("too many descriptors")
		}
		if d.depth++; d.depth > maxDepth {
			return c, d.fail("nested too deeply")
		}
		descriptor, err := d.value()
		d.depth--
		if err != nil {
			return c, err
		}
		c.descriptors = append(c.descriptors, descriptor)
	}
}

func (d *decoder) described(c constructor) (any, error) {
	if d.budget--; d.budget < 0 {
		return nil, d.fail("more values than bytes allow")
	}
	v, err := d.body(c.code)
	if err != nil {
		return nil, err
	}
	for i := len(c.descriptors) - 1; i >= 0; i-- {
		v = Described{c.descriptors[i], v}
	}
	return v, nil
}

// body reads a value whose constructor has been read. The upper four bits of a
// format code give its width (§1.3).
func (d *decoder) body(code byte) (any, error) {
	switch code >> 4 {
	case 0x4:
		return d.empty(code)
	case 0x5, 0x6, 0x7, 0x8, 0x9:
		return d.fixed(code)
	case 0xa, 0xb:
		return d.variable(code)
	case 0xc, 0xd:
		return d.compound(code)
	case 0xe, 0xf:
		return d.array(code)
	}
	return nil, d.fail("unknown format code %#02x", code)
}

// compound reads a list or a map: size, count, items. The size must match.
func (d *decoder) compound(code byte) (any, error) {
	end, count, err := d.extent(code>>4 == 0xc)
	if err != nil {
		return nil, err
	}
	if count > end-d.pos {
		return nil, d.fail("%d items in %d bytes", count, end-d.pos)
	}
	items := make(List, 0, count)
	for range count {
		v, err := d.nested(d.value)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	if d.pos != end {
		return nil, d.fail("compound does not fill its size")
	}
	switch code {
	case codeList8, codeList32:
		return items, nil
	case codeMap8, codeMap32:
		return d.pairs(items)
	}
	return nil, d.fail("unknown format code %#02x", code)
}

func (d *decoder) pairs(items List) (any, error) {
	if len(items)%2 != 0 {
		return nil, d.fail("map with an odd number of items")
	}
	m := make(Map, 0, len(items)/2)
	for i := 0; i < len(items); i += 2 {
		m = append(m, Pair{items[i], items[i+1]})
	}
	return m, nil
}

func (d *decoder) array(code byte) (any, error) {
	if code != codeArray8 && code != codeArray32 {
		return nil, d.fail("unknown format code %#02x", code)
	}
	end, count, err := d.extent(code == codeArray8)
	if err != nil {
		return nil, err
	}
	c, err := d.constructor()
	if err != nil {
		return nil, err
	}
	if count > d.budget {
		return nil, d.fail("array of %d items", count)
	}
	items := make(Array, 0, count)
	for range count {
		v, err := d.nested(func() (any, error) { return d.described(c) })
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	if d.pos != end {
		return nil, d.fail("array does not fill its size")
	}
	return items, nil
}

func (d *decoder) nested(read func() (any, error)) (any, error) {
	if d.depth++; d.depth > maxDepth {
		return nil, d.fail("nested too deeply")
	}
	defer func() { d.depth-- }()
	return read()
}

// extent reads size and count and returns where the value ends.
func (d *decoder) extent(short bool) (end, count int, err error) {
	size, err := d.size(short)
	if err != nil {
		return 0, 0, err
	}
	if size > len(d.buf)-d.pos {
		return 0, 0, d.fail("%d bytes missing", size-(len(d.buf)-d.pos))
	}
	end = d.pos + size
	if count, err = d.size(short); err != nil {
		return 0, 0, err
	}
	return end, count, nil
}

func (d *decoder) size(short bool) (int, error) {
	if short {
		b, err := d.byte()
		return int(b), err
	}
	b, err := d.take(4)
	if err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(b)
	if n > math.MaxInt32 {
		return 0, d.fail("size %d", n)
	}
	return int(n), nil
}

func (d *decoder) byte() (byte, error) {
	b, err := d.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (d *decoder) take(n int) ([]byte, error) {
	if n > len(d.buf)-d.pos {
		return nil, d.fail("%d bytes missing", n-(len(d.buf)-d.pos))
	}
	b := d.buf[d.pos : d.pos+n : d.pos+n]
	d.pos += n
	return b, nil
}
