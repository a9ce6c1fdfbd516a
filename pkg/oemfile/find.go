package oemfile

import (
	"bytes"
	"errors"
	"io"

	"taxiway.example/pkg/fault"
)

// delimiters are tried in this order; the one under which most cells are known names wins.
var delimiters = []byte{',', ';', '\t', '|'}

// findHeader reads up to the first record that names columns. What stands above it (a title, sep=;, #TYPE) is skipped,
// as long as it is no data.
func (f *File) findHeader() error {
	seen := preamble{}
	for range maxPreamble {
		l, err := f.lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		text := bytes.TrimFunc(l.text, isNoise)
		switch {
		case len(text) == 0:
			continue
		case seen.count == 0 && bytes.ContainsAny(text[:1], "<{["):
			return fail(fault.FileNotCSV, "this is HTML, XML or JSON")
		}
		if found, err := f.tryHeader(l); found || err != nil {
			return err
		}
		if seen.add(text, l.zeros); seen.data {
			break
		}
	}
	return seen.outcome()
}

// tryHeader reads a line as a header of some delimiter, or as a record of Configuration Manager's report.
func (f *File) tryHeader(l line) (bool, error) {
	h, delimiter := bestHeader(l.text)
	f.header = h
	f.delimiter = delimiter
	if h.named == 0 {
		if cells, open := split(l.text, delimiters[0]); !open && len(cells) == 1 {
			f.header, f.delimiter = bestHeader(trim(cells[0]))
			f.wrapped = f.header.named > 1
		}
		if !f.wrapped {
			return f.tryLabelled(l), nil
		}
	}
	problems := f.header.problems()
	if len(problems) == 0 {
		return true, nil
	}
	for i := range problems {
		problems[i].Line = l.number
	}
	detail := "the header lacks columns, or has one twice"
	if f.header.isTuple() {
		detail = "the file names devices by manufacturer, model and serial number; those are for partners and for " +
			"device preparation"
	}
	return false, &Error{Fault: fault.New(fault.FileNoHeader, detail), Problems: problems}
}

func (f *File) tryLabelled(l line) bool {
	for _, d := range delimiters {
		cells, open := split(l.text, d)
		if h, ok := readLabelled(cells); ok && !open {
			f.header = h
			f.delimiter = d
			f.first = &record{cells: cells, line: l.number}
			return true
		}
	}
	return false
}

// bestHeader reads a line under every delimiter and returns the reading that knows most columns.
func bestHeader(text []byte) (header, byte) {
	best := header{}
	delimiter := delimiters[0]
	for _, d := range delimiters {
		cells, open := split(text, d)
		if h, ok := readHeader(cells); ok && !open && h.named > best.named {
			best = h
			delimiter = d
		}
	}
	return best, delimiter
}

// preamble is what was read while no header was found.
type preamble struct {
	count   int
	triples int  // records of three cells, as device preparation identifiers have
	data    bool // one of them holds a hash
	zeros   bool // one of them holds zero bytes
}

func (p *preamble) add(text []byte, zeros bool) {
	p.count++
	p.zeros = p.zeros || zeros
	cells, _ := split(text, ',')
	if len(cells) == 3 {
		p.triples++
	}
	for _, d := range delimiters {
		cells, _ := split(text, d)
		for _, c := range cells {
			p.data = p.data || hashLike(c)
		}
	}
}

func (p *preamble) outcome() error {
	switch {
	case p.count == 0:
		return fail(fault.FileEmpty, "the file has no text")
	case p.zeros:
		return fail(fault.FileEncoding, "there are zero bytes in it: this is no text, or of an unknown encoding")
	case p.data:
		return fail(
			fault.FileNoHeader,
			"the first rows are data; put the line \"Device Serial Number,Windows Product ID,Hardware Hash\" above them",
		)
	case p.triples == p.count:
		return fail(
			fault.FileNoHeader,
			"the file looks like identifiers for Windows Autopilot device preparation (Manufacturer,Model,Serial); they "+
				"carry no hash and go to Intune's corporate device identifiers",
		)
	}
	return fail(fault.FileNoHeader, "none of the first %d records names a known column", p.count)
}
