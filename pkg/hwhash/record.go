package hwhash

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// Type is the type of a record.
type Type uint16

// The record types. docs/hardware-hash.md says how certain each meaning is.
const (
	TypeTool           Type = 1  // capture tool, OS build, capture time
	TypeCPU            Type = 2  // architecture and counts
	TypeCPUMaker       Type = 3  // text
	TypeCPUName        Type = 4  // text, 48 bytes
	TypeMemory         Type = 5  //
	TypeDisk           Type = 6  // capacity and bus; may repeat
	TypeDiskName       Type = 7  // serial|model|vendor; may repeat
	TypeAdapter        Type = 8  // network adapter; repeats
	TypeDisplay        Type = 9  // millimetres and pixels; repeats
	TypeChassis        Type = 10 //
	TypeOfflineID      Type = 11 // offline device id: SHA-256 of the TPM endorsement key
	TypeUUID           Type = 12 // SMBIOS UUID
	TypeTPM            Type = 13 // text
	TypeSerial         Type = 14 // text: SMBIOS system serial
	TypeFirmwareVendor Type = 15 // text
	TypeManufacturer   Type = 16 // text: system manufacturer
	TypeProduct        Type = 17 // text: product name, the model
	TypeSKU            Type = 18 // text
	TypeFamily         Type = 19 // text
	TypeBoardMaker     Type = 20 // text; most likely the baseboard manufacturer
	TypeBoardProduct   Type = 21 // text
	TypeBoardVersion   Type = 22 // text
	TypeSystemVersion  Type = 23 // text
	TypeProductKeyID   Type = 24 // text, 13 digits
	TypeEK             Type = 25 // TPM endorsement key: RSA-2048 modulus
	TypeProductKeyPart Type = 26 // text: part number
	TypeDisplaySize    Type = 27 // whole centimetres; repeats
	TypeKernelDiskName Type = 28 // as TypeDiskName, read through the kernel; may repeat
	TypeGPU            Type = 29 // memory and flags
	TypeGPUName        Type = 30 // UTF-16: vendor|name
	TypeHybridCPU      Type = 34 // cores by efficiency class
	TypeUnnamed35      Type = 35 // seen, meaning unknown
	TypeUnnamed36      Type = 36 // text, meaning unknown
	TypeUnnamed37      Type = 37 // seen, meaning unknown
	TypeUnnamed38      Type = 38 // named in one open decoder template, never seen
)

// known reports whether somebody has described t, if only as "seen".
func (t Type) known() bool {
	return TypeTool <= t && t <= TypeGPUName || TypeHybridCPU <= t && t <= TypeUnnamed38
}

// repeats reports whether a hash may hold several records of type t.
func (t Type) repeats() bool {
	switch t {
	case TypeDisk, TypeDiskName, TypeKernelDiskName, TypeAdapter, TypeDisplay, TypeDisplaySize:
		return true
	}
	return false
}

// recordHeader is the size of what stands before a value: u16 type, u16 length including these four bytes.
const recordHeader = 4

// Record is one record as it stands in the hash. It does not print its value.
type Record struct {
	Type  Type
	Value Secret
}

// String names the type.
func (r Record) String() string { return fmt.Sprintf("record %d", r.Type) }

// Records yields the records of the hash in their order, the unknown ones too.
// Frame(h.Records()) gives the canonical bytes again.
func (h Hash) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for t, p := range spans(h.raw()) {
			if !yield(Record{t, NewSecret(h.raw()[p.off : p.off+p.n])}) {
				return
			}
		}
	}
}

// spans yields type and place of each record that is whole, up to the end that raw states or has.
func spans[B ~string | ~[]byte](raw B) iter.Seq2[Type, span] {
	return func(yield func(Type, span) bool) {
		for at := headerSize; ; {
			t, n := recordAt(raw, at)
			if n < recordHeader || !yield(t, span{uint16(at + recordHeader), uint16(n - recordHeader)}) {
				return
			}
			at += n
		}
	}
}

// recordAt reads the header at offset at. It returns length 0 if there is no whole record.
func recordAt[B ~string | ~[]byte](raw B, at int) (Type, int) {
	end := recordsEnd(raw)
	if at+recordHeader > end {
		return 0, 0
	}
	n := int(raw[at+2]) | int(raw[at+3])<<8
	if n < recordHeader || at+n > end {
		return 0, 0
	}
	return Type(raw[at]) | Type(raw[at+1])<<8, n
}

// recordsEnd is the total that raw states, or its length if that is less.
func recordsEnd[B ~string | ~[]byte](raw B) int {
	if len(raw) < headerSize {
		return 0
	}
	return min(int(raw[2])|int(raw[3])<<8, len(raw))
}

// Frame puts records into a container: magic, records, trailer with the SHA-256. It checks only that they fit;
// FromCanonical checks the rest. It serves fixtures, also of hashes that no device would write.
func Frame(records iter.Seq[Record]) ([]byte, error) {
	return frame(func(yield func(Type, string) bool) {
		records(func(r Record) bool { return yield(r.Type, r.Value.Reveal()) })
	})
}

func frame(records iter.Seq2[Type, string]) ([]byte, error) {
	raw := append(make([]byte, 0, WireBytes), "OA\x00\x00"...)
	for t, value := range records {
		if len(raw)+recordHeader+len(value) > MaxRecords {
			return nil, fail(
				CodeTooLarge,
				len(raw),
				0,
				"Record %d does not fit: records may use %d bytes.",
				t,
				MaxRecords,
			)
		}
		raw = binary.LittleEndian.AppendUint16(raw, uint16(t))
		raw = binary.LittleEndian.AppendUint16(raw, uint16(recordHeader+len(value)))
		raw = append(raw, value...)
	}
	binary.LittleEndian.PutUint16(raw[2:], uint16(len(raw)))
	return seal(raw), nil
}
