package oemfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"taxiway.example/pkg/fault"
)

// sniffed is how much of a file is looked at to tell its encoding, in bytes.
const sniffed = 1 << 10

// disguises are files that are often named .csv and are none.
var disguises = []struct{ magic, name string }{
	{"PK\x03\x04", "an Excel workbook (.xlsx) or another zip file"},
	{"\xD0\xCF\x11\xE0", "an old Excel workbook (.xls)"},
	{"\x1F\x8B", "gzip data without the header Content-Encoding: gzip"},
	{"%PDF", "a PDF document"},
}

// openLines tells the encoding of r and returns its lines.
func openLines(r io.Reader, limit int) (*lines, error) {
	raw := bufio.NewReaderSize(r, 64<<10)
	head, err := raw.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for _, d := range disguises {
		if bytes.HasPrefix(head, []byte(d.magic)) {
			return nil, fail(fault.FileNotCSV, "this is %s", d.name)
		}
	}
	endian, wide := sniffUTF16(head)
	if !wide {
		return &lines{r: raw, limit: limit}, nil
	}
	decoder := unicode.UTF16(endian, unicode.IgnoreBOM).NewDecoder()
	return &lines{r: bufio.NewReaderSize(transform.NewReader(raw, decoder), 64<<10), limit: limit, wide: true}, nil
}

// sniffUTF16 recognises UTF-16 by its byte order mark, or by every other byte being zero.
func sniffUTF16(head []byte) (unicode.Endianness, bool) {
	switch {
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		return unicode.LittleEndian, true
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return unicode.BigEndian, true
	}
	return everyOtherZero(head)
}

// everyOtherZero recognises UTF-16 of mostly Latin letters.
func everyOtherZero(text []byte) (unicode.Endianness, bool) {
	var zeros [2]int
	for i, b := range text {
		if b == 0 {
			zeros[i%2]++
		}
	}
	few := len(text) / 20
	most := len(text) * 4 / 10
	switch {
	case zeros[0] <= few && zeros[1] > most:
		return unicode.LittleEndian, true
	case zeros[1] <= few && zeros[0] > most:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}
