package amqp

import "fmt"

// composite encodes a described list (§1.4). Trailing nulls are left out, as the
// specification allows.
func composite(code uint64, items ...any) Described {
	for len(items) > 0 && items[len(items)-1] == nil {
		items = items[:len(items)-1]
	}
	return Described{code, List(items)}
}

// opt turns a nil pointer into a null and any other into its value.
func opt[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// nonZero turns a zero value into a null.
func nonZero[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

func nonEmpty(m Map) any {
	if len(m) == 0 {
		return nil
	}
	return m
}

// fields reads the items of a composite one by one and remembers the first
// thing that was wrong.
type fields struct {
	name  string
	items List
	err   error
}

func (f *fields) item(i int) any {
	if i < len(f.items) {
		return f.items[i]
	}
	return nil
}

func (f *fields) fail(i int, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("%w: %s field %d %s", ErrDecode, f.name, i, fmt.Sprintf(format, args...))
	}
}

// optional reads item i, nil when it is null or left out.
func optional[T any](f *fields, i int) *T {
	v := f.item(i)
	if v == nil {
		return nil
	}
	t, ok := v.(T)
	if !ok {
		f.fail(i, "is a %T", v)
		return nil
	}
	return &t
}

// field reads item i, def when it is null or left out.
func field[T any](f *fields, i int, def T) T {
	if p := optional[T](f, i); p != nil {
		return *p
	}
	return def
}

// required reads item i, which must be there.
func required[T any](f *fields, i int) T {
	p := optional[T](f, i)
	if p == nil {
		f.fail(i, "is mandatory")
		return *new(T)
	}
	return *p
}

// open splits a composite into its code and its fields.
func open(v any) (uint64, *fields, error) {
	d, ok := v.(Described)
	if !ok {
		return 0, nil, fmt.Errorf("%w: %T where a composite belongs", ErrDecode, v)
	}
	code, ok := d.Descriptor.(uint64)
	if !ok {
		return 0, nil, fmt.Errorf("%w: descriptor is a %T", ErrDecode, d.Descriptor)
	}
	items, ok := d.Value.(List)
	if !ok {
		return 0, nil, fmt.Errorf("%w: composite %#x holds a %T", ErrDecode, code, d.Value)
	}
	return code, &fields{name: fmt.Sprintf("composite %#x", code), items: items}, nil
}
