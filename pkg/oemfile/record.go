package oemfile

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// record is one record of the file: usually a line, several when a quoted cell spans lines.
type record struct {
	cells  [][]byte
	line   int
	defect string // why the cells cannot be trusted; "" when they can
}

func (r record) isBlank() bool {
	for _, c := range r.cells {
		if len(trim(c)) > 0 {
			return false
		}
	}
	return r.defect == ""
}

// record returns the next record. A defect costs the line it stands in.
func (l *lines) record(delimiter byte) (record, error) {
	first, err := l.next()
	if err != nil {
		return record{}, err
	}
	if first.cut {
		return record{line: first.number, defect: "The line is too long."}, nil
	}
	cells, open := split(first.text, delimiter)
	if !open {
		return whole(cells, first.number, first.zeros), nil
	}
	return l.continued(first, delimiter)
}

// continued reads a record whose quoted cell goes on in the next line. No cell of such a file holds both a line break
// and a delimiter (the one that is broken is the hash), so a delimiter before the closing quotation mark means that the
// mark was never meant to open a cell.
func (l *lines) continued(first line, delimiter byte) (record, error) {
	text := bytes.Clone(first.text)
	zeros := first.zeros
	var taken []line
	for range maxContinued {
		next, err := l.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return record{}, err
		}
		if err == nil {
			taken = append(taken, next)
		}
		inside, _, _ := bytes.Cut(next.text, []byte{'"'})
		if err != nil || next.cut || bytes.IndexByte(inside, delimiter) >= 0 || len(text)+len(next.text) > l.limit {
			break
		}
		text = append(append(text, '\n'), next.text...)
		zeros = zeros || next.zeros
		if len(inside) == len(next.text) {
			continue
		}
		if cells, open := split(text, delimiter); !open && !swallowed(cells, delimiter) {
			return whole(cells, first.number, zeros), nil
		}
	}
	l.putBack(taken)
	return record{line: first.number, defect: "A quotation mark is never closed, or has text behind it."}, nil
}

// whole is a record that ends where it should. What stands where a zero byte is now nobody knows.
func whole(cells [][]byte, line int, zeros bool) record {
	if zeros {
		return record{line: line, defect: "There is a zero byte in it; the file was damaged on its way."}
	}
	return record{cells: cells, line: line}
}

// maxContinued is more lines than any hash is broken into.
const maxContinued = 256

// swallowed reports whether a cell holds a whole record.
func swallowed(cells [][]byte, delimiter byte) bool {
	return slices.ContainsFunc(
		cells,
		func(c []byte) bool { return bytes.IndexByte(c, '\n') >= 0 && bytes.IndexByte(c, delimiter) >= 0 },
	)
}

// split cuts a text at the delimiter. A cell that begins with a quotation mark ends with one (RFC 4180, section 2);
// open says that one does not.
func split(text []byte, delimiter byte) (cells [][]byte, open bool) {
	cells = make([][]byte, 0, 1+bytes.Count(text, []byte{delimiter}))
	for {
		cell, rest, more, open := cutCell(text, delimiter)
		cells = append(cells, cell)
		if open || !more {
			return cells, open
		}
		text = rest
	}
}

func cutCell(text []byte, delimiter byte) (cell, rest []byte, more, open bool) {
	quoted := bytes.TrimLeft(text, " ")
	if len(quoted) == 0 || quoted[0] != '"' {
		cell, rest, more = bytes.Cut(text, []byte{delimiter})
		return cell, rest, more, false
	}
	quoted = quoted[1:]
	for at := 0; at < len(quoted); at++ {
		if quoted[at] != '"' {
			continue
		}
		if at+1 < len(quoted) && quoted[at+1] == '"' {
			at++
			continue
		}
		tail, rest, more := bytes.Cut(quoted[at+1:], []byte{delimiter})
		cell := bytes.ReplaceAll(quoted[:at], []byte(`""`), []byte{'"'})
		return cell, rest, more, len(trim(tail)) > 0
	}
	return quoted, nil, false, true
}
