package hwhash

import (
	"encoding/binary"
	"unicode/utf16"
)

// cursor goes over the value of one record and either reads or writes it. As each layout is written down once
// for both directions, what is written is what is read.
type cursor struct {
	writing bool
	in      string // what is left to read
	out     []byte // what has been written
	bad     bool   // the value is too short, or cannot be written
}

// next cuts n bytes off what is left to read. If they are not there, it returns zeros, eight at most.
func (c *cursor) next(n int) string {
	if n > len(c.in) {
		c.bad = true
		c.in = ""
		return "\x00\x00\x00\x00\x00\x00\x00\x00"[:min(n, 8)]
	}
	value := c.in[:n]
	c.in = c.in[n:]
	return value
}

func (c *cursor) u8(p *uint8) {
	if c.writing {
		c.out = append(c.out, *p)
		return
	}
	*p = c.next(1)[0]
}

func (c *cursor) u16(p *uint16) {
	if c.writing {
		c.out = binary.LittleEndian.AppendUint16(c.out, *p)
		return
	}
	*p = binary.LittleEndian.Uint16([]byte(c.next(2)))
}

func (c *cursor) u32(p *uint32) {
	if c.writing {
		c.out = binary.LittleEndian.AppendUint32(c.out, *p)
		return
	}
	*p = binary.LittleEndian.Uint32([]byte(c.next(4)))
}

func (c *cursor) u64(p *uint64) {
	if c.writing {
		c.out = binary.LittleEndian.AppendUint64(c.out, *p)
		return
	}
	*p = binary.LittleEndian.Uint64([]byte(c.next(8)))
}

// sized is a u32 length and that many bytes.
func (c *cursor) sized(p *string) {
	n := uint32(len(*p))
	c.u32(&n)
	if c.writing {
		c.out = append(c.out, *p...)
		return
	}
	if int64(n) > int64(len(c.in)) {
		c.bad = true
		return
	}
	*p = c.next(int(n))
}

// version is four u16 in the order minor, major, revision, build.
func (c *cursor) version(v *Version) {
	c.u16(&v.Minor)
	c.u16(&v.Major)
	c.u16(&v.Revision)
	c.u16(&v.Build)
}

// utf16Text decodes UTF-16LE up to its first NUL; false for half a character.
func utf16Text(value string) (string, bool) {
	if len(value)%2 != 0 {
		return "", false
	}
	units := make([]uint16, 0, len(value)/2)
	for ; len(value) > 0; value = value[2:] {
		unit := uint16(value[0]) | uint16(value[1])<<8
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units)), true
}

// utf16Bytes encodes text as UTF-16LE.
func utf16Bytes(text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}
