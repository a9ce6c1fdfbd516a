package sqlledger

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
)

// cell is a field of a struct as the value of a column.
type cell interface {
	value() any
	set(column any) error
}

// scanner lets database/sql set a cell.
type scanner struct{ cell }

// Scan implements sql.Scanner.
func (s scanner) Scan(column any) error { return s.set(column) }

// micros is how times are stored: microseconds since 1970, UTC; 0 stands for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// clean makes a string one that every database stores: PostgreSQL refuses NUL and what is not UTF-8.
func clean(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
}

// textCell is a string of any name.
type textCell[T ~string] struct{ p *T }

func text[T ~string](p *T) cell       { return textCell[T]{p} }
func (c textCell[T]) value() any      { return clean(string(*c.p)) }
func (c textCell[T]) set(v any) error { return scanText(v, func(s string) { *c.p = T(s) }) }

// serialCell and secretCell reveal what only the database may see.
type serialCell struct{ p *device.Serial }

func (c serialCell) value() any { return clean(c.p.Reveal()) }
func (c serialCell) set(v any) error {
	return scanText(v, func(s string) { *c.p = device.NewSerial(s) })
}

type productKeyCell struct{ p *device.ProductKeyID }

func (c productKeyCell) value() any { return clean(c.p.Reveal()) }

func (c productKeyCell) set(v any) error {
	return scanText(v, func(s string) { *c.p = device.NewProductKeyID(s) })
}

// listCell joins codes, which hold no comma.
type listCell struct{ p *[]string }

func (c listCell) value() any { return clean(strings.Join(*c.p, ",")) }

func (c listCell) set(v any) error {
	return scanText(v, func(s string) {
		if *c.p = nil; s != "" {
			*c.p = strings.Split(s, ",")
		}
	})
}

// hexCell is a fixed number of bytes as text, "" when all are zero.
type hexCell struct{ p []byte }

func (c hexCell) value() any { return hexText(c.p) }

func (c hexCell) set(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("column holds %T, not text", v)
	}
	raw, err := hex.DecodeString(s)
	copy(c.p, raw)
	return err
}

func hexText(raw []byte) string {
	for _, b := range raw {
		if b != 0 {
			return hex.EncodeToString(raw)
		}
	}
	return ""
}

// componentsCell is the digests of components, one behind the other.
type componentsCell struct{ p *[]hwhash.Component }

func (c componentsCell) value() any {
	raw := []byte{}
	for _, one := range *c.p {
		raw = append(raw, one[:]...)
	}
	return raw
}

func (c componentsCell) set(v any) error {
	raw, ok := v.([]byte)
	if !ok && v != nil {
		return fmt.Errorf("column holds %T, not bytes", v)
	}
	*c.p = nil
	for one := range slices.Chunk(raw, len(hwhash.Component{})) {
		*c.p = append(*c.p, hwhash.Component(one))
	}
	return nil
}

// bytesCell is a fixed number of bytes.
type bytesCell struct{ p []byte }

func (c bytesCell) value() any { return c.p }

func (c bytesCell) set(v any) error {
	raw, ok := v.([]byte)
	if !ok || len(raw) != len(c.p) {
		return fmt.Errorf("column holds %T, not %d bytes", v, len(c.p))
	}
	copy(c.p, raw)
	return nil
}

// numberCell is an integer of any width.
type numberCell[T ~int | ~int64] struct{ p *T }

func integer[T ~int | ~int64](p *T) cell { return numberCell[T]{p} }
func (c numberCell[T]) value() any       { return int64(*c.p) }
func (c numberCell[T]) set(v any) error  { return scanInteger(v, func(n int64) { *c.p = T(n) }) }

// flagCell is 0 or 1.
type flagCell struct{ p *bool }

func (c flagCell) value() any {
	if *c.p {
		return int64(1)
	}
	return int64(0)
}
func (c flagCell) set(v any) error { return scanInteger(v, func(n int64) { *c.p = n != 0 }) }

// timeCell is a time in microseconds.
type timeCell struct{ p *time.Time }

func (c timeCell) value() any      { return micros(*c.p) }
func (c timeCell) set(v any) error { return scanInteger(v, func(n int64) { *c.p = moment(n) }) }

// jsonCell is a small struct of plain fields.
type jsonCell[T any] struct{ p *T }

func (c jsonCell[T]) value() any {
	raw, err := json.Marshal(c.p)
	if err != nil {
		return "{}" // plain fields always marshal
	}
	return string(raw)
}

func (c jsonCell[T]) set(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("column holds %T, not text", v)
	}
	return json.Unmarshal([]byte(s), c.p)
}

// constCell writes what follows from other fields and is not read back.
type constCell struct{ v any }

func (c constCell) value() any  { return c.v }
func (constCell) set(any) error { return nil }

func scanText(v any, set func(string)) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("column holds %T, not text", v)
	}
	set(s)
	return nil
}

func scanInteger(v any, set func(int64)) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("column holds %T, not an integer", v)
	}
	set(n)
	return nil
}

// blobCell is any number of bytes.
type blobCell struct{ p *[]byte }

func (c blobCell) value() any { return append([]byte{}, *c.p...) }

func (c blobCell) set(v any) error {
	raw, ok := v.([]byte)
	if !ok && v != nil {
		return fmt.Errorf("column holds %T, not bytes", v)
	}
	*c.p = append([]byte{}, raw...)
	return nil
}
