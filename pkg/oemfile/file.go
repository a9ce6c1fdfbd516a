package oemfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
)

// The limits of a file.
const (
	DefaultMaxRecord = 64 << 10  // bytes
	DefaultMaxRows   = 1_000_000 // rows
	maxPreamble      = 20        // records above the header
)

// Options bound what is read; zero fields take the defaults.
type Options struct {
	MaxRecord int // bytes
	MaxRows   int
}

// File is a file whose header has been found.
type File struct {
	Notes []string // oddities of the file as a whole; they hold no value

	lines     *lines
	delimiter byte
	wrapped   bool // every record is one quoted cell
	header    header
	first     *record // a record that was read to find the header
	number    int     // records since the header
	maxRows   int
}

// Open tells encoding and delimiter of r and reads up to the header. The error is an *Error, or what r failed with.
func Open(r io.Reader, o Options) (*File, error) {
	o.MaxRecord = cmp.Or(max(o.MaxRecord, 0), DefaultMaxRecord)
	o.MaxRows = cmp.Or(max(o.MaxRows, 0), DefaultMaxRows)
	l, err := openLines(r, o.MaxRecord)
	if err != nil {
		return nil, err
	}
	f := &File{lines: l, maxRows: o.MaxRows}
	if err := f.findHeader(); err != nil {
		return nil, err
	}
	f.note()
	return f, nil
}

func (f *File) note() {
	if f.header.unknown > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%d columns have names nobody knows and were ignored.", f.header.unknown))
	}
	if f.header.labels > 0 {
		f.Notes = append(
			f.Notes,
			"The file is a Configuration Manager report: the values were taken from behind the repeated column names.",
		)
	}
}

// Rows returns the rows in order. An error ends them; the rows before it stand.
func (f *File) Rows() iter.Seq2[intake.Row, error] {
	return func(yield func(intake.Row, error) bool) {
		for rows := 0; ; {
			row, ok, err := f.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && ok {
				rows++
			}
			if err == nil && rows > f.maxRows {
				err = fail(fault.FileTooManyRows, "more than %d rows", f.maxRows)
			}
			if err != nil {
				yield(intake.Row{}, err)
				return
			}
			if ok && !yield(row, nil) {
				return
			}
		}
	}
}

// next reads a record; ok is false for one that is no row: a blank one, or the header again where files were joined.
func (f *File) next() (row intake.Row, ok bool, err error) {
	r, err := f.record()
	if err != nil {
		return intake.Row{}, false, err
	}
	f.number++
	if r.isBlank() {
		return intake.Row{}, false, nil
	}
	if h, isHeader := readHeader(r.cells); isHeader && len(h.problems()) == 0 {
		f.header = h
		return intake.Row{}, false, nil
	}
	if again := f.joined(r); again {
		return intake.Row{}, false, nil
	}
	return f.row(r), true, nil
}

// record reads the next record, unwrapped if the file wraps records in quotes.
func (f *File) record() (record, error) {
	if f.first != nil {
		r := *f.first
		f.first = nil
		return r, nil
	}
	r, err := f.lines.record(f.delimiter)
	if err == nil && f.wrapped && len(r.cells) == 1 {
		r.cells, _ = split(r.cells[0], f.delimiter)
	}
	return r, err
}

// joined recognises the header of a joined file that has another delimiter.
func (f *File) joined(r record) bool {
	if len(r.cells) != 1 || len(r.cells[0]) > shortestHash {
		return false
	}
	h, delimiter := bestHeader(r.cells[0])
	if h.named == 0 || len(h.problems()) > 0 {
		return false
	}
	f.header = h
	f.delimiter = delimiter
	return true
}

func (f *File) row(r record) intake.Row {
	row := intake.Row{Number: f.number, Line: r.line}
	if defect := f.defect(r); defect != "" {
		row.Reject = &intake.Reject{Code: fault.RowMalformed, Detail: fmt.Sprintf("Line %d: %s", r.line, defect)}
		return row
	}
	cell := func(c column) []byte {
		if at := f.header.at[c]; at >= 0 && at < len(r.cells) {
			return trim(r.cells[at])
		}
		return nil
	}
	row.Serial = device.NewSerial(string(cell(colSerial)))
	row.ProductKeyID = device.NewProductKeyID(string(cell(colProductKeyID)))
	row.Hash = intake.NewRawHash(bytes.Clone(cell(colHash)))
	row.Manufacturer = string(cell(colManufacturer))
	row.Model = string(cell(colModel))
	row.GroupTag = string(cell(colGroupTag))
	row.User = string(cell(colUser))
	return row
}

// defect says why a record cannot be laid under the header, "" if it can.
func (f *File) defect(r record) string {
	if r.defect != "" {
		return r.defect
	}
	if f.header.labels > 0 {
		if _, ok := readLabelled(r.cells); !ok {
			return "The record does not repeat the column names as the others of this report do."
		}
	}
	for _, extra := range r.cells[min(f.header.cells, len(r.cells)):] {
		if len(trim(extra)) > 0 {
			return fmt.Sprintf(
				"The record has %d cells, the header %d; a delimiter inside a value is the usual cause.",
				len(r.cells),
				f.header.cells,
			)
		}
	}
	if need := max(f.header.at[colSerial], f.header.at[colHash]) + 1; len(r.cells) < need {
		return fmt.Sprintf("The record has %d cells and needs %d.", len(r.cells), need)
	}
	for i, c := range r.cells {
		if at := f.header.at[colHash]; i != at && hashLike(c) {
			return fmt.Sprintf(
				"The hash stands in cell %d instead of %d; a delimiter inside a value is the usual cause.",
				i+1,
				at+1,
			)
		}
	}
	return ""
}
