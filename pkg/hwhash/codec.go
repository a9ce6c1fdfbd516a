package hwhash

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// codec moves the records of one type between a hash and a Report.
type codec struct {
	t Type
	// read puts a value into its field. It returns false for a value of another shape than known, which is then kept
	// raw.
	read func(r *Report, value string) bool
	// write returns the values to write, none for an empty field; false if the field cannot be written.
	write func(r *Report) ([]string, bool)
}

// codecs is in the order in which capture tools write.
var codecs = []codec{
	one(TypeTool, func(r *Report) **Tool { return &r.Tool }),
	one(TypeCPU, func(r *Report) **CPU { return &r.CPU }),
	{TypeHybridCPU, readHybrid, writeHybrid},
	one(TypeMemory, func(r *Report) **Memory { return &r.Memory }),
	text(TypeCPUMaker, func(r *Report) *string { return &r.CPUMaker }),
	padded(text(TypeCPUName, func(r *Report) *string { return &r.CPUName })),
	many(TypeDisk, "", func(r *Report) *[]Disk { return &r.Disks }),
	many(TypeDiskName, "", func(r *Report) *[]DiskName { return &r.DiskNames }),
	many(TypeAdapter, "", func(r *Report) *[]Adapter { return &r.Adapters }),
	many(TypeDisplay, "", func(r *Report) *[]Display { return &r.Displays }),
	many(TypeDisplaySize, "", func(r *Report) *[]DisplaySize { return &r.DisplaySizes }),
	one(TypeChassis, func(r *Report) **Chassis { return &r.Chassis }),
	text(TypeTPM, func(r *Report) *string { return &r.TPM }),
	raw(TypeEK, 0, func(r *Report) *Secret { return &r.EK }),
	one(TypeOfflineID, func(r *Report) **OfflineID { return &r.OfflineID }),
	raw(TypeUUID, uuidSize, func(r *Report) *Secret { return &r.UUID }),
	secretText(TypeSerial, func(r *Report) *Secret { return &r.Serial }),
	text(TypeFirmwareVendor, func(r *Report) *string { return &r.FirmwareVendor }),
	text(TypeManufacturer, func(r *Report) *string { return &r.Manufacturer }),
	text(TypeProduct, func(r *Report) *string { return &r.Product }),
	text(TypeSKU, func(r *Report) *string { return &r.SKU }),
	text(TypeFamily, func(r *Report) *string { return &r.Family }),
	text(TypeSystemVersion, func(r *Report) *string { return &r.SystemVersion }),
	text(TypeBoardMaker, func(r *Report) *string { return &r.BoardMaker }),
	text(TypeBoardProduct, func(r *Report) *string { return &r.BoardProduct }),
	text(TypeBoardVersion, func(r *Report) *string { return &r.BoardVersion }),
	secretText(TypeProductKeyID, func(r *Report) *Secret { return &r.ProductKeyID }),
	text(TypeProductKeyPart, func(r *Report) *string { return &r.ProductKeyPart }),
	many(TypeKernelDiskName, "\x00", func(r *Report) *[]DiskName { return &r.KernelDiskNames }),
	one(TypeGPU, func(r *Report) **GPU { return &r.GPU }),
	one(TypeGPUName, func(r *Report) **GPUName { return &r.GPUName }),
	secretText(TypeUnnamed36, func(r *Report) *Secret { return &r.Text36 }),
}

// codecOf finds a codec by type.
var codecOf = func() (index [TypeUnnamed38 + 1]*codec) {
	for i := range codecs {
		index[codecs[i].t] = &codecs[i]
	}
	return index
}()

// structure is a pointer to T that knows its layout.
type structure[T any] interface {
	*T
	layout(*cursor)
}

func readStruct[T any, P structure[T]](value string, into P) bool {
	c := cursor{in: value}
	into.layout(&c)
	return !c.bad && c.in == ""
}

func writeStruct[T any, P structure[T]](from P, tail string) (string, bool) {
	c := cursor{writing: true}
	from.layout(&c)
	return string(c.out) + tail, !c.bad
}

// one is a structure that comes once.
func one[T any, P structure[T]](t Type, field func(*Report) *P) codec {
	return codec{
		t: t,
		read: func(r *Report, value string) bool {
			v := P(new(T))
			if !readStruct(value, v) {
				return false
			}
			*field(r) = v
			return true
		},
		write: func(r *Report) ([]string, bool) {
			if *field(r) == nil {
				return nil, true
			}
			// A copy: a layout may normalise what it writes.
			v := **field(r)
			value, ok := writeStruct(P(&v), "")
			return []string{value}, ok
		},
	}
}

// many is a structure that may repeat; tail follows it when written.
func many[T any, P structure[T]](t Type, tail string, field func(*Report) *[]T) codec {
	return codec{
		t: t,
		read: func(r *Report, value string) bool {
			var v T
			if !readStruct(value, P(&v)) {
				return false
			}
			*field(r) = append(*field(r), v)
			return true
		},
		write: func(r *Report) (values []string, ok bool) {
			for _, v := range *field(r) {
				value, ok := writeStruct(P(&v), tail)
				if !ok {
					return nil, false
				}
				values = append(values, value)
			}
			return values, true
		},
	}
}

// text is a NUL-ended text. An empty one is kept raw, so that a Report loses no record.
func text(t Type, field func(*Report) *string) codec {
	return codec{
		t: t,
		read: func(r *Report, value string) bool {
			*field(r) = untilNUL(value)
			return *field(r) != ""
		},
		write: func(r *Report) ([]string, bool) { return writeText(*field(r)) },
	}
}

// secretText is a text that does not print.
func secretText(t Type, field func(*Report) *Secret) codec {
	return codec{
		t: t,
		read: func(r *Report, value string) bool {
			*field(r) = NewSecret(untilNUL(value))
			return !field(r).IsZero()
		},
		write: func(r *Report) ([]string, bool) { return writeText(field(r).Reveal()) },
	}
}

// raw is bytes that do not print, size of them unless size is 0.
func raw(t Type, size int, field func(*Report) *Secret) codec {
	fits := func(value string) bool { return value != "" && (size == 0 || len(value) == size) }
	return codec{
		t: t,
		read: func(r *Report, value string) bool {
			if !fits(value) {
				return false
			}
			*field(r) = NewSecret(value)
			return true
		},
		write: func(r *Report) ([]string, bool) {
			value := field(r).Reveal()
			if value == "" {
				return nil, true
			}
			return []string{value}, fits(value)
		},
	}
}

// padded fills the value of a text with NUL to the 48 bytes of a CPU brand string.
func padded(c codec) codec {
	const size = 48
	inner := c.write
	c.write = func(r *Report) ([]string, bool) {
		values, ok := inner(r)
		for i, v := range values {
			values[i] = v + strings.Repeat("\x00", max(0, size-len(v)))
		}
		return values, ok
	}
	return c
}

func writeText(s string) ([]string, bool) {
	if s == "" {
		return nil, true
	}
	return []string{s + "\x00"}, writable(s)
}

// writable reports whether a text comes back as it was.
func writable(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// readHybrid reads u8 n and n core classes.
func readHybrid(r *Report, value string) bool {
	const size = 5
	if value == "" || value[0] == 0 || len(value) != 1+size*int(value[0]) {
		return false
	}
	classes := make([]CoreClass, value[0])
	for i := range classes {
		readStruct(value[1+size*i:][:size], &classes[i])
	}
	r.HybridCPU = classes
	return true
}

func writeHybrid(r *Report) ([]string, bool) {
	if len(r.HybridCPU) == 0 {
		return nil, true
	}
	value := string([]byte{uint8(len(r.HybridCPU))})
	for _, class := range slices.Clone(r.HybridCPU) {
		packed, _ := writeStruct(&class, "")
		value += packed
	}
	return []string{value}, len(r.HybridCPU) <= 0xFF
}
