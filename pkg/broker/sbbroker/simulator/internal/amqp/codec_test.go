package amqp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// scalar draws a value that is not made of others.
func scalar() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.Uint8().AsAny(), rapid.Uint16().AsAny(), rapid.Uint32().AsAny(), rapid.Uint64().AsAny(),
		rapid.Int8().AsAny(), rapid.Int16().AsAny(), rapid.Int32().AsAny(), rapid.Int64().AsAny(),
		rapid.Float32().AsAny(), rapid.Float64().AsAny(),
		rapid.String().AsAny(),
		rapid.SliceOfN(rapid.Byte(), 0, 300).AsAny(),
		rapid.Map(rapid.StringN(0, 300, 300), func(s string) any { return Symbol(s) }),
		rapid.Map(rapid.Int64(), func(n int64) any { return Timestamp(n) }),
		rapid.Map(rapid.Uint32(), func(n uint32) any { return Char(n) }),
		rapid.Map(rapid.Uint64(), func(n uint64) any { return UUID{byte(n), 15: byte(n >> 8)} }),
		rapid.Map(rapid.Byte(), func(n byte) any { return Decimal32{n} }),
		rapid.Map(rapid.Byte(), func(n byte) any { return Decimal64{n} }),
		rapid.Map(rapid.Byte(), func(n byte) any { return Decimal128{n} }),
	)
}

// value draws any value, nested a few levels deep.
func value(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return scalar()
	}
	inner := rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) })
	return rapid.OneOf(
		scalar(),
		rapid.Map(rapid.SliceOfN(inner, 0, 5), func(v []any) any { return List(v) }),
		rapid.Custom(func(t *rapid.T) any {
			m := Map{}
			for _, k := range rapid.SliceOfN(scalar(), 0, 5).Draw(t, "keys") {
				m = append(m, Pair{k, inner.Draw(t, "value")})
			}
			return m
		}),
		rapid.Custom(
			func(t *rapid.T) any { return Described{rapid.Uint64().Draw(t, "descriptor"), inner.Draw(t, "value")} },
		),
		rapid.Map(rapid.SliceOfN(rapid.Int64(), 0, 5), func(v []int64) any { return array(v) }),
		rapid.Map(rapid.SliceOfN(rapid.Bool(), 0, 5), func(v []bool) any { return array(v) }),
		rapid.Map(rapid.SliceOfN(rapid.String(), 0, 5), func(v []string) any { return array(v) }),
		rapid.Map(rapid.SliceOfN(rapid.Int64(), 1, 5), func(v []int64) any {
			a := Array{}
			for _, n := range v {
				a = append(a, Described{Symbol("d"), List{n}})
			}
			return a
		}),
	)
}

func array[T any](items []T) Array {
	a := Array{}
	for _, v := range items {
		a = append(a, v)
	}
	return a
}

// same treats NaN as equal to itself and no bytes as equal to empty ones.
func same() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }),
		cmp.Comparer(func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }),
		cmp.Comparer(bytes.Equal),
	}
}

func TestEncodeDecodeRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := value(3).Draw(t, "value")
		b := Append(nil, v)
		got, n, err := Decode(append(b, 0xff)) // what follows is not touched
		if err != nil || n != len(b) {
			t.Fatalf("decoded %d of %d bytes: %v", n, len(b), err)
		}
		if diff := cmp.Diff(v, got, same()); diff != "" {
			t.Fatal(diff)
		}
		for cut := range b {
			if _, _, err := Decode(b[:cut]); !errors.Is(err, ErrDecode) {
				t.Fatalf("%d of %d bytes: %v", cut, len(b), err)
			}
		}
	})
}

// TestVectors holds the encodings of the specification's own tables (§1.6).
func TestVectors(t *testing.T) {
	t.Parallel()
	for hexed, want := range map[string]any{
		"40": nil, "41": true, "42": false, "5600": false, "5601": true,
		"50ff": uint8(255), "60ffff": uint16(65535), "43": uint32(0), "5201": uint32(1), "70ffffffff": uint32(math.MaxUint32),
		"44": uint64(0), "5380": uint64(128), "51ff": int8(-1), "61ffff": int16(-1), "54ff": int32(-1), "55ff": int64(-1),
		"7300010000": Char(0x10000), "83ffffffffffffffff": Timestamp(-1),
		"a10141": "A", "b10000000141": "A", "a30141": Symbol("A"), "a001ff": []byte{255},
		"45": List{}, "c0020140": List{nil}, "d0000000050000000140": List{nil}, "c10100": Map{},
		"c103024141": Map{{true, true}},
		"e0020040":   Array{}, "e00402544102": Array{int32(0x41), int32(2)},
		"e01202830000000000000001ffffffffffffffff": Array{Timestamp(1), Timestamp(-1)},
		"f0000000070000000254" + "0102":            Array{int32(1), int32(2)},
		"005324" + "45":                            Described{uint64(0x24), List{}},
	} {
		b, err := hex.DecodeString(hexed)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := Decode(b)
		if err != nil {
			t.Errorf("%s: %v", hexed, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", hexed, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, hexed := range map[string]string{
		"nothing":                  "",
		"unknown code":             "57",
		"unknown wide code":        "99" + strings.Repeat("00", 16),
		"boolean that is not":      "5602",
		"string that is not UTF-8": "a101ff",
		"odd map":                  "c1020140",
		"list with missing items":  "c0020240",
		"list with spare bytes":    "c003014040",
		"size beyond the data":     "b0ffffffff",
		"zero-width array bomb":    "f00000000500ffffff" + "40",
		"nested array bomb":        "f000000013" + "000000ff" + "f0" + "0000000a" + "00ffffff" + "4040404040404040",
		"descriptor of descriptor": strings.Repeat("00", 100) + "40",
		"deep list":                strings.Repeat("c0ff01", 60),
	} {
		b, err := hex.DecodeString(hexed)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v, _, err := Decode(b); !errors.Is(err, ErrDecode) {
			t.Errorf("%s: got %v, %v", name, v, err)
		}
	}
}

func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	v := any(List{})
	for range maxDepth - 1 {
		v = List{v}
	}
	if _, _, err := Decode(Append(nil, v)); err != nil {
		t.Errorf("depth %d: %v", maxDepth, err)
	}
	if _, _, err := Decode(Append(nil, List{List{v}})); !errors.Is(err, ErrDecode) {
		t.Errorf("depth %d: %v", maxDepth+1, err)
	}
}

func TestMapByTextKey(t *testing.T) {
	t.Parallel()
	m := Map{{Symbol("a"), 1}, {uint64(7), 2}}
	if m.Get("a") != 1 || m.Get("b") != nil {
		t.Errorf("got %v and %v", m.Get("a"), m.Get("b"))
	}
	n := m.Set("a", 3).Set("b", 4)
	if diff := cmp.Diff(Map{{Symbol("a"), 3}, {uint64(7), 2}, {"b", 4}}, n); diff != "" {
		t.Error(diff)
	}
	if m.Get("a") != 1 {
		t.Error("Set changed its receiver")
	}
	if diff := cmp.Diff(Map{{uint64(7), 2}, {"b", 4}}, n.Delete("a")); diff != "" {
		t.Error(diff)
	}
}
