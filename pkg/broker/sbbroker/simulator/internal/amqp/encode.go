package amqp

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Append encodes v in its most compact form and appends it to b.
//
// It accepts what Decode returns. Any other type is a programming error and panics.
func Append(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, codeTrue)
		}
		return append(b, codeFalse)
	case uint32:
		return appendUint(b, v)
	case uint64:
		return appendUlong(b, v)
	case int32:
		if v == int32(int8(v)) {
			return append(b, codeSmallInt, byte(v))
		}
	case int64:
		if v == int64(int8(v)) {
			return append(b, codeSmallLong, byte(v))
		}
	case []byte:
		return appendVariable(b, codeBin8, codeBin32, v)
	case string:
		return appendVariable(b, codeStr8, codeStr32, v)
	case Symbol:
		return appendVariable(b, codeSym8, codeSym32, v)
	case List:
		if len(v) == 0 {
			return append(b, codeList0)
		}
	case Described:
		b = Append(append(b, codeDescribed), v.Descriptor)
		return Append(b, v.Value)
	}
	return appendWide(append(b, wideCode(v)), v)
}

func appendUint(b []byte, v uint32) []byte {
	switch {
	case v == 0:
		return append(b, codeUint0)
	case v <= math.MaxUint8:
		return append(b, codeSmallUint, byte(v))
	}
	return appendWide(append(b, codeUint), v)
}

func appendUlong(b []byte, v uint64) []byte {
	switch {
	case v == 0:
		return append(b, codeUlong0)
	case v <= math.MaxUint8:
		return append(b, codeSmallUlong, byte(v))
	}
	return appendWide(append(b, codeUlong), v)
}

func appendVariable[T ~string | ~[]byte](b []byte, short, long byte, v T) []byte {
	if len(v) <= math.MaxUint8 {
		return append(append(b, short, byte(len(v))), v...)
	}
	b = binary.BigEndian.AppendUint32(append(b, long), uint32(len(v)))
	return append(b, v...)
}

// wideCode is the constructor of the widest encoding of v, the one every item
// of an array can share.
func wideCode(v any) byte {
	switch v.(type) {
	case nil:
		return codeNull
	case bool:
		return codeBool
	case uint8:
		return codeUbyte
	case uint16:
		return codeUshort
	case uint32:
		return codeUint
	case uint64:
		return codeUlong
	case int8:
		return codeByte
	case int16:
		return codeShort
	case int32:
		return codeInt
	case int64:
		return codeLong
	case float32:
		return codeFloat
	case float64:
		return codeDouble
	case Char:
		return codeChar
	case Timestamp:
		return codeTimestamp
	}
	return wideCodeComposite(v)
}

func wideCodeComposite(v any) byte {
	switch v.(type) {
	case UUID:
		return codeUUID
	case Decimal32:
		return codeDecimal32
	case Decimal64:
		return codeDecimal64
	case Decimal128:
		return codeDecimal128
	case []byte:
		return codeBin32
	case string:
		return codeStr32
	case Symbol:
		return codeSym32
	case List:
		return codeList32
	case Map:
		return codeMap32
	case Array:
		return codeArray32
	}
	panic(fmt.Sprintf("amqp: cannot encode %T", v))
}

// appendWide appends v in its widest form, without a constructor.
func appendWide(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return b
	case bool:
		if v {
			return append(b, 1)
		}
		return append(b, 0)
	case uint8:
		return append(b, v)
	case int8:
		return append(b, byte(v))
	case uint16:
		return binary.BigEndian.AppendUint16(b, v)
	case int16:
		return binary.BigEndian.AppendUint16(b, uint16(v))
	case uint32:
		return binary.BigEndian.AppendUint32(b, v)
	case int32:
		return binary.BigEndian.AppendUint32(b, uint32(v))
	case float32:
		return binary.BigEndian.AppendUint32(b, math.Float32bits(v))
	case Char:
		return binary.BigEndian.AppendUint32(b, uint32(v))
	case uint64:
		return binary.BigEndian.AppendUint64(b, v)
	case int64:
		return binary.BigEndian.AppendUint64(b, uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
	case Timestamp:
		return binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return appendWideComposite(b, v)
}

func appendWideComposite(b []byte, v any) []byte {
	switch v := v.(type) {
	case UUID:
		return append(b, v[:]...)
	case Decimal32:
		return append(b, v[:]...)
	case Decimal64:
		return append(b, v[:]...)
	case Decimal128:
		return append(b, v[:]...)
	case []byte:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case string:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case Symbol:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case List:
		return appendSized(b, len(v), func(b []byte) []byte {
			for _, item := range v {
				b = Append(b, item)
			}
			return b
		})
	case Map:
		return appendSized(b, 2*len(v), func(b []byte) []byte {
			for _, p := range v {
				b = Append(Append(b, p.Key), p.Value)
			}
			return b
		})
	case Array:
		return appendSized(b, len(v), func(b []byte) []byte { return appendItems(b, v) })
	}
	panic(fmt.Sprintf("amqp: cannot encode %T", v))
}

// appendSized writes a 32-bit size, a 32-bit count and the items.
func appendSized(b []byte, count int, items func([]byte) []byte) []byte {
	at := len(b)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(count))
	b = items(b)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// appendItems writes the shared constructor of an array and then its items.
func appendItems(b []byte, items Array) []byte {
	if len(items) == 0 {
		return append(b, codeNull)
	}
	first := items[0]
	for {
		d, ok := first.(Described)
		if !ok {
			break
		}
		b = Append(append(b, codeDescribed), d.Descriptor)
		first = d.Value
	}
	code := wideCode(first)
	b = append(b, code)
	for _, item := range items {
		for d, ok := item.(Described); ok; d, ok = item.(Described) {
			item = d.Value
		}
		if wideCode(item) != code {
			panic(fmt.Sprintf("amqp: array of %T holds a %T", first, item))
		}
		b = appendWide(b, item)
	}
	return b
}
