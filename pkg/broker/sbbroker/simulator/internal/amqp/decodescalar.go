package amqp

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

func (d *decoder) empty(code byte) (any, error) {
	switch code {
	case codeNull:
		return nil, nil
	case codeTrue, codeFalse:
		return code == codeTrue, nil
	case codeUint0:
		return uint32(0), nil
	case codeUlong0:
		return uint64(0), nil
	case codeList0:
		return List{}, nil
	}
	return nil, d.fail("unknown format code %#02x", code)
}

var fixedWidth = map[byte]int{0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}

func (d *decoder) fixed(code byte) (any, error) {
	b, err := d.take(fixedWidth[code>>4])
	if err != nil {
		return nil, err
	}
	switch len(b) {
	case 1:
		return d.one(code, b[0])
	case 2:
		return d.two(code, binary.BigEndian.Uint16(b))
	case 4:
		return d.four(code, b)
	case 8:
		return d.eight(code, b)
	}
	switch code {
	case codeUUID:
		return UUID(b), nil
	case codeDecimal128:
		return Decimal128(b), nil
	}
	return nil, d.fail("unknown format code %#02x", code)
}

func (d *decoder) one(code, b byte) (any, error) {
	switch code {
	case codeUbyte:
		return b, nil
	case codeByte:
		return int8(b), nil
	case codeSmallUint:
		return uint32(b), nil
	case codeSmallUlong:
		return uint64(b), nil
	case codeSmallInt:
		return int32(int8(b)), nil
	case codeSmallLong:
		return int64(int8(b)), nil
	case codeBool:
		if b > 1 {
			return nil, d.fail("boolean %#02x", b)
		}
		return b == 1, nil
	}
	return nil, d.fail("unknown format code %#02x", code)
}

func (d *decoder) two(code byte, v uint16) (any, error) {
	switch code {
	case codeUshort:
		return v, nil
	case codeShort:
		return int16(v), nil
	}
	return nil, d.fail("unknown format code %#02x", code)
}

func (d *decoder) four(code byte, b []byte) (any, error) {
	v := binary.BigEndian.Uint32(b)
	switch code {
	case codeUint:
		return v, nil
	case codeInt:
		return int32(v), nil
	case codeFloat:
		return math.Float32frombits(v), nil
	case codeChar:
		return Char(v), nil
	case codeDecimal32:
		return Decimal32(b), nil
	}
	return nil, d.fail("unknown format code %#02x", code)
}

func (d *decoder) eight(code byte, b []byte) (any, error) {
	v := binary.BigEndian.Uint64(b)
	switch code {
	case codeUlong:
		return v, nil
	case codeLong:
		return int64(v), nil
	case codeDouble:
		return math.Float64frombits(v), nil
	case codeTimestamp:
		return Timestamp(v), nil
	case codeDecimal64:
		return Decimal64(b), nil
	}
	return nil, d.fail("unknown format code %#02x", code)
}

func (d *decoder) variable(code byte) (any, error) {
	n, err := d.size(code>>4 == 0xa)
	if err != nil {
		return nil, err
	}
	b, err := d.take(n)
	if err != nil {
		return nil, err
	}
	switch code {
	case codeBin8, codeBin32:
		return b, nil
	case codeStr8, codeStr32:
		if !utf8.Valid(b) {
			return nil, d.fail("string is not UTF-8")
		}
		return string(b), nil
	case codeSym8, codeSym32:
		return Symbol(b), nil
	}
	return nil, d.fail("unknown format code %#02x", code)
}
