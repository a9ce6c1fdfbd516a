package oemfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"taxiway.example/pkg/fault"
)

// line is one physical line, without its end.
type line struct {
	text   []byte
	number int
	cut    bool // longer than the limit; text is its beginning
	zeros  bool // holds zero bytes: characters were lost
}

// lines cuts a text into lines. It knows the ends of Windows, of Unix and of the old Macintosh, which Excel still
// writes.
type lines struct {
	r       *bufio.Reader
	limit   int // bytes of one line
	wide    bool
	number  int
	skipLF  bool
	waiting []line // handed back by the reader of records
}

// abandon is how many times the limit a line may be before the text is taken for something that has no lines.
const abandon = 16

// next returns the next line. After the last one the error is io.EOF; a line that broke off with any other error is
// lost.
func (l *lines) next() (line, error) {
	if len(l.waiting) > 0 {
		first := l.waiting[0]
		l.waiting = l.waiting[1:]
		return first, nil
	}
	text, length, err := l.scan()
	if err != nil && (!errors.Is(err, io.EOF) || length == 0) {
		return line{}, err
	}
	l.number++
	if length > abandon*l.limit {
		return line{}, fail(fault.FileRecordTooLong, "line %d is longer than %d bytes", l.number, abandon*l.limit)
	}
	out := line{text: text, number: l.number, cut: length > l.limit}
	return l.decode(out)
}

// putBack makes lines the next ones to read.
func (l *lines) putBack(again []line) {
	l.waiting = append(again, l.waiting...)
}

// scan reads to the end of the line and keeps the first limit bytes of it. Zero bytes before and behind a line are
// padding and make it no longer.
func (l *lines) scan() (text []byte, length int, err error) {
	for seen := 0; length <= abandon*l.limit; {
		if _, err := l.r.Peek(1); err != nil {
			return text, length, err
		}
		buffered, _ := l.r.Peek(l.r.Buffered())
		if l.skipLF {
			l.skipLF = false
			if buffered[0] == '\n' {
				l.discard(1)
				continue
			}
		}
		n, end := lineEnd(buffered)
		part := buffered[:n]
		if length == 0 {
			part = bytes.TrimLeft(part, zero)
		}
		if room := l.limit - len(text); room > 0 {
			text = append(text, part[:min(len(part), room)]...)
		}
		if filled := len(bytes.TrimRight(part, zero)); filled > 0 {
			length = seen + filled
		}
		seen += len(part)
		if end {
			l.skipLF = buffered[n] == '\r'
			l.discard(n + 1)
			return text, length, nil
		}
		l.discard(n)
	}
	return text, length, nil
}

// discard drops bytes that are buffered, which cannot fail.
func (l *lines) discard(n int) { _, _ = l.r.Discard(n) }

// lineEnd returns the offset of the first end of line, or the length of the text and false.
func lineEnd(text []byte) (int, bool) {
	n := len(text)
	found := false
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		n = i
		found = true
	}
	if i := bytes.IndexByte(text[:n], '\r'); i >= 0 {
		return i, true
	}
	return n, found
}

// zero is the byte that pads files and that UTF-16 is full of.
const zero = "\x00"

// decode makes UTF-8 of a line. Lines of eight-bit text are checked one by one: those that are no UTF-8 are
// Windows-1252.
func (l *lines) decode(in line) (line, error) {
	if l.wide && narrow(in.text) || !l.wide && wide(in.text) {
		return line{}, fail(
			fault.FileEncoding,
			"from line %d on the text has another encoding; files of two encodings were joined, or this is no text",
			in.number,
		)
	}
	in.text = bytes.Trim(in.text, zero)
	in.zeros = bytes.Contains(in.text, []byte(zero))
	if !l.wide && !in.cut && !utf8.Valid(in.text) {
		text, err := charmap.Windows1252.NewDecoder().Bytes(in.text)
		if err != nil {
			return line{}, fail(fault.FileEncoding, "line %d cannot be decoded", in.number)
		}
		in.text = text
	}
	in.text = bytes.TrimPrefix(in.text, []byte("\uFEFF"))
	return in, nil
}

// wideRun is the shortest text that is taken for UTF-16, in bytes.
const wideRun = 16

// wide reports whether eight-bit text is really UTF-16.
func wide(text []byte) bool {
	_, wide := everyOtherZero(text)
	return wide && len(text) >= wideRun
}

// narrowRun is the shortest text that is worth a guess about its encoding, in characters.
const narrowRun = 200

// narrow reports whether text, read as UTF-16, is really eight-bit text: nearly every character is made of two
// printable ASCII bytes.
func narrow(text []byte) bool {
	total := 0
	pairs := 0
	for _, r := range string(text) {
		total++
		if low, high := r&0xFF, r>>8; isPrintable(low) && isPrintable(high) {
			pairs++
		}
	}
	return total >= narrowRun && pairs > total*9/10
}

func isPrintable(r rune) bool { return r >= ' ' && r <= '~' || r == '\t' || r == '\r' || r == '\n' }
