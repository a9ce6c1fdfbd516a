// Package amqp is the server side's view of the AMQP 1.0 wire format: values,
// performatives, frames and the sections of a message.
//
// It knows nothing about Service Bus. Section numbers in comments refer to
// "OASIS Advanced Message Queuing Protocol (AMQP) Version 1.0".
package amqp

// Symbol is an AMQP symbol (§1.6.21).
type Symbol string

// Char is an AMQP char, one UTF-32 code point (§1.6.16).
type Char uint32

// Timestamp is milliseconds since the Unix epoch (§1.6.17).
type Timestamp int64

// UUID is an AMQP uuid in RFC 4122 byte order (§1.6.18).
type UUID [16]byte

// Decimal32 is carried, never interpreted (§1.6.13).
type Decimal32 [4]byte

// Decimal64 is carried, never interpreted (§1.6.14).
type Decimal64 [8]byte

// Decimal128 is carried, never interpreted (§1.6.15).
type Decimal128 [16]byte

// List is an AMQP list (§1.6.22).
type List []any

// Pair is one entry of a Map.
type Pair struct{ Key, Value any }

// Map is an AMQP map that keeps its order (§1.6.23).
type Map []Pair

// Array is an AMQP array: every item has the same type (§1.6.24).
type Array []any

// Described is a value with a descriptor (§1.1.2).
type Described struct{ Descriptor, Value any }

// Get returns the value stored under a string or symbol key, or nil.
func (m Map) Get(key string) any {
	for _, p := range m {
		if keyIs(p.Key, key) {
			return p.Value
		}
	}
	return nil
}

// Set returns m with key (a symbol or a string) bound to value; a key that is
// already there keeps its place and its type.
func (m Map) Set(key, value any) Map {
	for i, p := range m {
		if keyIs(p.Key, text(key)) {
			out := append(Map(nil), m...)
			out[i].Value = value
			return out
		}
	}
	return append(append(Map(nil), m...), Pair{key, value})
}

// Delete returns m without key.
func (m Map) Delete(key string) Map {
	out := make(Map, 0, len(m))
	for _, p := range m {
		if !keyIs(p.Key, key) {
			out = append(out, p)
		}
	}
	return out
}

// keyIs treats a symbol and a string of the same text as one key: clients
// differ in which of the two they write for annotations.
func keyIs(key any, want string) bool {
	switch key.(type) {
	case string, Symbol:
		return text(key) == want
	}
	return false
}

func text(key any) string {
	switch k := key.(type) {
	case string:
		return k
	case Symbol:
		return string(k)
	}
	return ""
}

// Format codes (§1.6).
const (
	codeDescribed  = 0x00
	codeNull       = 0x40
	codeTrue       = 0x41
	codeFalse      = 0x42
	codeUint0      = 0x43
	codeUlong0     = 0x44
	codeList0      = 0x45
	codeUbyte      = 0x50
	codeByte       = 0x51
	codeSmallUint  = 0x52
	codeSmallUlong = 0x53
	codeSmallInt   = 0x54
	codeSmallLong  = 0x55
	codeBool       = 0x56
	codeUshort     = 0x60
	codeShort      = 0x61
	codeUint       = 0x70
	codeInt        = 0x71
	codeFloat      = 0x72
	codeChar       = 0x73
	codeDecimal32  = 0x74
	codeUlong      = 0x80
	codeLong       = 0x81
	codeDouble     = 0x82
	codeTimestamp  = 0x83
	codeDecimal64  = 0x84
	codeDecimal128 = 0x94
	codeUUID       = 0x98
	codeBin8       = 0xa0
	codeStr8       = 0xa1
	codeSym8       = 0xa3
	codeBin32      = 0xb0
	codeStr32      = 0xb1
	codeSym32      = 0xb3
	codeList8      = 0xc0
	codeMap8       = 0xc1
	codeList32     = 0xd0
	codeMap32      = 0xd1
	codeArray8     = 0xe0
	codeArray32    = 0xf0
)
