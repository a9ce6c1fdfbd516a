package oemfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/oemfile"
)

// Any bytes: no panic, no hang, row numbers grow, rows are bounded by the text, errors carry a code of class file.
func FuzzRead(f *testing.F) {
	a := wire(f, 1)
	f.Add([]byte(intune + "S1,," + a + ",Kiosk,ada@contoso.com\r\nS2,,,,\r\n"))
	f.Add([]byte("\"Device Serial Number\";\"Hardware Hash\"\n\"S1\n\";\"" + a[:300] + "\n\"\"\"\n"))
	f.Add([]byte("Device Serial Number,Windows Product ID,Hardware Hash,S1,," + a + "\n"))
	f.Add([]byte(encoded(f, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), intune+"S1,,x,,\r\n")))
	f.Add([]byte(intune + "S1,,\x00" + a + ",,\r\n\x00\"S2\n\x00\",," + a + "\x00\x00"))
	f.Add([]byte("sep=;\n\"Device Serial Number,Hardware Hash\"\n\"a,b\"\r\r\n\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := oemfile.Open(bytes.NewReader(text), oemfile.Options{MaxRecord: 4096})
		if err != nil {
			needFileCode(t, err)
			return
		}
		last := 0
		size := 0
		for row, err := range file.Rows() {
			if err != nil {
				needFileCode(t, err)
				break
			}
			if row.Number <= last || row.Line <= 0 {
				t.Fatalf("row %d at line %d after row %d", row.Number, row.Line, last)
			}
			last = row.Number
			size += len(row.Serial.Reveal()) + len(row.Hash.Reveal()) + len(row.GroupTag) + len(row.User)
		}
		// UTF-8 needs at most three bytes where the file has one.
		if size > 3*len(text) {
			t.Fatalf("%d bytes in rows out of %d", size, len(text))
		}
	})
}

func needFileCode(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*oemfile.Error](err); !ok || !strings.HasPrefix(string(fault.CodeOf(err)), "file.") {
		t.Fatalf("an error without a code: %v", err)
	}
}

// What one writer writes, in whatever dialect, is read back the same.
func TestEveryDialectReadsBack(t *testing.T) {
	t.Parallel()
	encodings := map[string]func(string) string{
		"utf-8":     func(s string) string { return s },
		"utf-8 bom": func(s string) string { return "\uFEFF" + s },
		"utf-16le":  func(s string) string { return encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), s) },
		"utf-16be":  func(s string) string { return encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), s) },
		"ansi":      func(s string) string { return encoded(t, charmap.Windows1252, s) },
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range encodings {
			if !yield(name) {
				return
			}
		}
	})
	hash := wire(t, 1)
	rapid.Check(t, func(rt *rapid.T) {
		delimiter := rapid.SampledFrom([]string{",", ";", "\t", "|"}).Draw(rt, "delimiter")
		end := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(rt, "end")
		quoteAll := rapid.Bool().Draw(rt, "quoted")
		columns := rapid.Permutation([]string{"Device Serial Number", "Windows Product ID", "Hardware Hash", "Group Tag", "Assigned User"}).
			Draw(rt, "columns")
		// A cell is not blank: a blank record is skipped on purpose.
		cell := rapid.StringMatching(`[A-Za-zÄÖÜß0-9][A-Za-zÄÖÜß0-9 .,;"|_-]{0,12}[A-Za-z0-9]`)
		write := func(cells []string) string {
			out := make([]string, len(cells))
			for i, c := range cells {
				if out[i] = c; quoteAll || strings.ContainsAny(c, delimiter+"\"") {
					out[i] = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
				}
			}
			return strings.Join(out, delimiter) + end
		}
		text := write(columns)
		var want []string
		for n := range rapid.IntRange(1, 8).Draw(rt, "rows") {
			values := map[string]string{
				"Device Serial Number": cell.Draw(rt, "serial"), "Windows Product ID": "", "Hardware Hash": hash,
				"Group Tag": cell.Draw(rt, "tag"), "Assigned User": cell.Draw(rt, "user"),
			}
			cells := make([]string, len(columns))
			for i, c := range columns {
				cells[i] = values[c]
			}
			text += write(cells)
			want = append(
				want,
				fmt.Sprintf(
					"%d: %s||A|%s|%s",
					n+1,
					values["Device Serial Number"],
					values["Group Tag"],
					values["Assigned User"],
				),
			)
		}
		name := rapid.SampledFrom(names).Draw(rt, "encoding")
		got, _, err := read(t, encodings[name](text), map[string]string{hash: "A"}, oemfile.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("%s, %q:\n got %.300q\nwant %.300q", name, delimiter, got, want)
		}
	})
}

// A broken record never costs a neighbour.
func TestBrokenRecordsCostNobodyElse(t *testing.T) {
	t.Parallel()
	hash := wire(t, 1)
	broken := []string{
		"\"S\"0,," + hash, "AB,12,," + hash, "\"S0,," + hash, "S0", "S0,\"", "x" + strings.Repeat("y", 70<<10),
		"\"\"\"", "S0,,," + hash, ",,,,,,,x", "S0,\x00," + hash,
		"\x00S0\x00,," + hash + "\x00",
	}
	rapid.Check(t, func(rt *rapid.T) {
		text := "Device Serial Number,Windows Product ID,Hardware Hash\r\n"
		good := 0
		bad := 0
		for range rapid.IntRange(1, 12).Draw(rt, "records") {
			if rapid.Bool().Draw(rt, "good") {
				good++
				text += fmt.Sprintf("S%d,,%s\r\n", good, hash)
				continue
			}
			bad++
			text += rapid.SampledFrom(broken).Draw(rt, "broken") + "\r\n"
		}
		rows, _, err := read(t, text, map[string]string{hash: "A"}, oemfile.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		seen := 0
		for _, row := range rows {
			_, what, _ := strings.Cut(row, ": ")
			if what == fmt.Sprintf("S%d||A", seen+1) {
				seen++
			} else if what != "row.malformed" {
				rt.Fatalf("%.40s", row)
			}
		}
		if seen != good {
			rt.Fatalf("%d of %d good rows", seen, good)
		}
		// Two quotation marks in a row may meet to form one record; none of them is good.
		if len(rows)-seen > bad {
			rt.Fatalf("%d bad rows out of %d", len(rows)-seen, bad)
		}
	})
}

// endless repeats a row for ever, so that a reader which kept what it has read would be found out.
type endless struct {
	head, row []byte
	left      int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.head)
	e.head = e.head[n:]
	if len(e.head) == 0 {
		if e.left == 0 {
			return n, io.EOF
		}
		e.left--
		e.head = e.row
	}
	return n, nil
}

func BenchmarkRows(b *testing.B) {
	row := []byte("S1,," + wire(b, 1) + ",Kiosk,ada@contoso.com\r\n")
	b.SetBytes(int64(len(row)))
	b.ReportAllocs()
	f, err := oemfile.Open(&endless{head: []byte(intune), row: row, left: b.N}, oemfile.Options{MaxRows: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for _, err := range f.Rows() {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != b.N {
		b.Fatalf("%d rows of %d", n, b.N)
	}
}
