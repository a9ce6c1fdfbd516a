package oemfile_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/oemfile"
)

// wire returns the text of a made-up device's hash.
func wire(tb testing.TB, seed uint64) string {
	tb.Helper()
	h, err := hwhash.Encode(hwhash.Synthetic(seed))
	if err != nil {
		tb.Fatal(err)
	}
	return h.Wire()
}

// read returns each row as "number: serial|pkid|hash|tag|user|make|model", hashes replaced by their names, or as
// "number: code".
func read(tb testing.TB, text string, names map[string]string, o oemfile.Options) ([]string, *oemfile.File, error) {
	tb.Helper()
	f, err := oemfile.Open(iotest.HalfReader(strings.NewReader(text)), o)
	if err != nil {
		return nil, nil, err
	}
	var rows []string
	for row, err := range f.Rows() {
		if err != nil {
			return rows, f, err
		}
		if row.Reject != nil {
			rows = append(rows, fmt.Sprintf("%d: %s", row.Number, row.Reject.Code))
			continue
		}
		hash := string(row.Hash.Reveal())
		if name, ok := names[hash]; ok {
			hash = name
		}
		cells := []string{
			row.Serial.Reveal(),
			row.ProductKeyID.Reveal(),
			hash,
			row.GroupTag,
			row.User,
			row.Manufacturer,
			row.Model,
		}
		rows = append(rows, fmt.Sprintf("%d: %s", row.Number, strings.TrimRight(strings.Join(cells, "|"), "|")))
	}
	return rows, f, nil
}

// documented requires that docs/file-shapes.md has a row for the shape.
func documented(t *testing.T, shape string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "file-shapes.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "\n| "+shape+" |") {
		t.Errorf("docs/file-shapes.md has no row for %q", shape)
	}
}

const intune = "Device Serial Number,Windows Product ID,Hardware Hash,Group Tag,Assigned User\r\n"

func encoded(tb testing.TB, e encoding.Encoding, text string) string {
	tb.Helper()
	out, err := e.NewEncoder().String(text)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// Texts in which {A} and {B} stand for hashes.
func TestShapes(t *testing.T) {
	t.Parallel()
	utf16le := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	utf16be := unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	bare := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	cases := []struct {
		name, text string
		encode     encoding.Encoding
		want       []string
		notes      int
	}{
		{name: "Intune, five columns", text: intune + "S1,3305321234567,{A},Kiosk,ada@contoso.com\r\nS2,,{B},,\r\n", want: []string{"1: S1|3305321234567|A|Kiosk|ada@contoso.com", "2: S2||B"}},
		{name: "three columns, Unix ends, no last end", text: "Device Serial Number,Windows Product ID,Hardware Hash\nS1,,{A}\nS2,,{B}", want: []string{"1: S1||A", "2: S2||B"}},
		{name: "old Macintosh ends", text: "Device Serial Number,Hardware Hash\rS1,{A}\rS2,{B}\r", want: []string{"1: S1||A", "2: S2||B"}},
		{name: "another order, odd case, blanks, underscores", text: "group tag , HARDWARE_HASH,device serial  number\nKiosk,{A},S1\n", want: []string{"1: S1||A|Kiosk"}},
		{name: "OrderID", text: "Device Serial Number,Windows Product ID,Hardware Hash,OrderID\nS1,,{A},Kiosk\n", want: []string{"1: S1||A|Kiosk"}},
		{name: "Partner Center, hash and tuple", text: "Device serial number,Windows product ID,Hardware hash,Manufacturer name,Device model\nS1,,{A},,\nS2,,,Contoso,Book\n", want: []string{"1: S1||A", "2: S2|||||Contoso|Book"}},
		{name: "Partner Center's sample: six cells under five names", text: "Device serial number,Windows product ID,Hardware hash,Manufacturer name,Device model\nS1,,{A},,,\n,,,,,\n", want: []string{"1: S1||A"}},
		{name: "unknown columns", text: "Owner,Device Serial Number,Hardware Hash,Action\nme,S1,{A},Add\n", want: []string{"1: S1||A"}, notes: 1},
		{name: "semicolons", text: "Device Serial Number;Windows Product ID;Hardware Hash;Group Tag\nS1;;{A};Kiosk\n", want: []string{"1: S1||A|Kiosk"}},
		{name: "tabs", text: "Device Serial Number\tHardware Hash\nS1\t{A}\n", want: []string{"1: S1||A"}},
		{name: "sep= line", text: "sep=;\nDevice Serial Number;Hardware Hash\nS1;{A}\n", want: []string{"1: S1||A"}},
		{name: "#TYPE line and title", text: "#TYPE Selected.System.Management\n\nDevices of October\nDevice Serial Number,Hardware Hash\nS1,{A}\n", want: []string{"1: S1||A"}},
		{name: "everything quoted", text: "\"Device Serial Number\",\"Windows Product ID\",\"Hardware Hash\"\n\"S1\",\"\",\"{A}\"\n", want: []string{"1: S1||A"}},
		{name: "a quoted comma and doubled quotes", text: "Device Serial Number,Hardware Hash\n\"S,1\",{A}\n\"S\"\"2\",{B}\n", want: []string{"1: S,1||A", `2: S"2||B`}},
		{name: "every record one quoted cell", text: "\"Device Serial Number,Windows Product ID,Hardware Hash\"\n\"S1,,{A}\"\n", want: []string{"1: S1||A"}},
		{name: "blanks around cells", text: "Device Serial Number,Hardware Hash\n  S 1\u00A0, {A} \n", want: []string{"1: S 1||A"}},
		{name: "texts kept from a spreadsheet", text: "Device Serial Number,Hardware Hash\n=\"001\",{A}\n\"=\"\"002\"\"\",{B}\n'003,{A}\n", want: []string{"1: 001||A", "2: 002||B", "3: 003||A"}},
		{name: "blank records count, so that row N stands in row N+1 of a spreadsheet", text: "Device Serial Number,Hardware Hash\nS1,{A}\n,\n\n \t,\nS2,{B}\n,,,\n", want: []string{"1: S1||A", "5: S2||B"}},
		{name: "joined files", text: "Device Serial Number,Windows Product ID,Hardware Hash\nS1,,{A}\n\uFEFFDevice Serial Number,Windows Product ID,Hardware Hash\nS2,,{B}\n", want: []string{"1: S1||A", "3: S2||B"}},
		{name: "joined files of different columns", text: "Device Serial Number,Windows Product ID,Hardware Hash\nS1,,{A}\nGroup Tag,Hardware Hash,Device Serial Number\nKiosk,{B},S2\n", want: []string{"1: S1||A", "3: S2||B|Kiosk"}},
		{name: "joined files of different delimiters", text: "Device Serial Number,Windows Product ID,Hardware Hash\nS1,,{A}\nDevice Serial Number;Windows Product ID;Hardware Hash\nS2;;{B}\n", want: []string{"1: S1||A", "3: S2||B"}},
		{name: "short records", text: intune + "S1,,{A}\nS2\nS3,,{B},Kiosk\n", want: []string{"1: S1||A", "2: row.malformed", "3: S3||B|Kiosk"}},
		{name: "a comma in a serial, three columns", text: "Device Serial Number,Windows Product ID,Hardware Hash\nAB,12,,{A}\nS2,,{B}\n", want: []string{"1: row.malformed", "2: S2||B"}},
		{name: "a comma in a serial, five columns", text: intune + "AB,12,,{A}\nS2,,{B},,\n", want: []string{"1: row.malformed", "2: S2||B"}},
		{name: "a comma in the last cell", text: "Device Serial Number,Windows Product ID,Hardware Hash,Group Tag\nS1,,{A},x,y\nS2,,{B},\n", want: []string{"1: row.malformed", "2: S2||B"}},
		{name: "a quotation mark that is never closed", text: "Device Serial Number,Hardware Hash\n\"S1,{A}\nS2,{B}\nS3,{A}\n", want: []string{"1: row.malformed", "2: S2||B", "3: S3||A"}},
		{name: "two quotation marks far apart", text: "Device Serial Number,Hardware Hash\n\"S1,{A}\nS2,{B}\n\"S3,{A}\nS2,{B}\n", want: []string{"1: row.malformed", "2: S2||B", "3: row.malformed", "4: S2||B"}},
		{name: "an open quotation mark at the end", text: "Device Serial Number,Hardware Hash\nS2,{B}\n\"S1,{A}", want: []string{"1: S2||B", "2: row.malformed"}},
		{name: "zero bytes at the end", text: "Device Serial Number,Windows Product ID,Hardware Hash\nS1,,{A}\nS2,,{B}\n" + strings.Repeat("\x00", 2<<20), want: []string{"1: S1||A", "2: S2||B"}},
		{name: "zero bytes around a line", text: "Device Serial Number,Hardware Hash\x00\r\n\x00\x00S1,{A}\x00\r\n\x00\r\n\"S2\",\"{B}\"" + strings.Repeat("\x00", 100<<10), want: []string{"1: S1||A", "3: S2||B"}},
		{name: "a zero byte inside a line", text: "Device Serial Number,Windows Product ID,Hardware Hash\nS1,\x00,{A}\nS2,,{B}\nS\x003,,{A}\n\"S4\",,\"\x00{A}\"\n\"S5\",,\"a\nb\x00c\n\"\nS6,,{B}", want: []string{"1: row.malformed", "2: S2||B", "3: row.malformed", "4: row.malformed", "5: row.malformed", "6: S6||B"}},
		{name: "a quotation mark inside a cell", text: "Device Serial Number,Hardware Hash\n15\"-S1,{A}\n", want: []string{`1: 15"-S1||A`}},
		{name: "Configuration Manager's report", text: "Textbox1,Textbox2,Textbox3,Textbox4,Textbox5,Textbox6\nDevice Serial Number,Windows Product ID,Hardware Hash,S1,,{A}\nDevice Serial Number,Windows Product ID,Hardware Hash,S2,,{B}\n", want: []string{"1: S1||A", "2: S2||B"}, notes: 1},
		{name: "Configuration Manager's report, a broken record", text: "Device Serial Number,Windows Product ID,Hardware Hash,S1,,{A}\nDevice Serial Number,Windows Product ID,Hardware Hash,S,2,,{B}\nDevice Serial Number,Windows Product ID,Hardware Hash,S3,,{B}\n", want: []string{"1: S1||A", "2: row.malformed", "3: S3||B"}, notes: 1},
		{name: "UTF-16 little endian", encode: utf16le, text: intune + "S1,,{A},Größe,\r\n", want: []string{"1: S1||A|Größe"}},
		{name: "UTF-16 big endian", encode: utf16be, text: intune + "S1,,{A},Größe,\r\n", want: []string{"1: S1||A|Größe"}},
		{name: "UTF-16 without mark", encode: bare, text: intune + "S1,,{A},Größe,\r\n", want: []string{"1: S1||A|Größe"}},
		{name: "UTF-8", text: intune + "S1,,{A},Größe,\r\n", want: []string{"1: S1||A|Größe"}},
		{name: "UTF-8 with mark", text: "\uFEFF" + intune + "S1,,{A},Größe,\r\n", want: []string{"1: S1||A|Größe"}},
		{name: "ANSI", encode: charmap.Windows1252, text: intune + "S1,,{A},Größe €,\r\n", want: []string{"1: S1||A|Größe €"}},
		{name: "zeros in UTF-16", encode: utf16le, text: "Device Serial Number,Hardware Hash\r\nS1,{A}\r\nS\x002,{B}\r\nS3,{B}\r\n\x00\x00\x00", want: []string{"1: S1||A", "2: row.malformed", "3: S3||B"}},
		{name: "Chinese in UTF-16", encode: utf16le, text: intune + "S1,,{A},业务台式机,\r\n", want: []string{"1: S1||A|业务台式机"}},
		{name: "two UTF-16 files joined", encode: bare, text: "\uFEFF" + intune + "S1,,{A},,\r\n\uFEFF" + intune + "S2,,{B},,\r\n", want: []string{"1: S1||A", "3: S2||B"}},
	}
	a := wire(t, 1)
	b := wire(t, 2)
	names := map[string]string{a: "A", b: "B"}
	fill := strings.NewReplacer("{A}", a, "{B}", b)
	for _, tc := range cases {
		documented(t, tc.name)
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			text := fill.Replace(tc.text)
			if tc.encode != nil {
				text = encoded(t, tc.encode, text)
			}
			got, f, err := read(t, text, names, oemfile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if len(f.Notes) != tc.notes {
				t.Errorf("notes: %q", f.Notes)
			}
		})
	}
}

func TestHashOverSeveralLines(t *testing.T) {
	t.Parallel()
	a := wire(t, 1)
	b := wire(t, 2)
	broken := ""
	for rest := a; rest != ""; {
		n := min(76, len(rest))
		broken += rest[:n] + "\r\n"
		rest = rest[n:]
	}
	text := intune + "S1,,\"" + broken + "\",Kiosk,\r\nS2,,\"" + b + "\",,\r\n"
	f, err := oemfile.Open(strings.NewReader(text), oemfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var serials []string
	for row, err := range f.Rows() {
		if err != nil || row.Reject != nil {
			t.Fatal(err, row.Reject)
		}
		if _, err := hwhash.ParseBytes(row.Hash.Reveal()); err != nil {
			t.Error(err)
		}
		serials = append(serials, row.Serial.Reveal()+" "+row.GroupTag)
	}
	if diff := cmp.Diff([]string{"S1 Kiosk", "S2 "}, serials); diff != "" {
		t.Error(diff)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	a := wire(t, 1)
	cases := []struct {
		name, text string
		code       fault.Code
		says       string
		problems   int
	}{
		{"nothing", "", fault.FileEmpty, "", 0},
		{"blank lines", "\r\n\r\n  \r\n", fault.FileEmpty, "", 0},
		{"a workbook", "PK\x03\x04\x14\x00\x06\x00", fault.FileNotCSV, "xlsx", 0},
		{"an old workbook", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", fault.FileNotCSV, "xls", 0},
		{"gzip", "\x1F\x8B\x08\x00", fault.FileNotCSV, "Content-Encoding", 0},
		{"a web page", "\r\n<html><table><tr><td>Device Serial Number</td></tr></table></html>", fault.FileNotCSV, "HTML", 0},
		{"a web page in UTF-16", encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "<!DOCTYPE html>"), fault.FileNotCSV, "HTML", 0},
		{"JSON", `[{"serial":"x"}]`, fault.FileNotCSV, "JSON", 0},
		{"zeros", strings.Repeat("abc\x00\x00", 100), fault.FileEncoding, "zero bytes", 0},
		{"no header, data", "S1,," + a + "\n", fault.FileNoHeader, "first rows are data", 0},
		{"data above the header", "S1,," + a + "\n" + intune + "S1,," + a + "\n", fault.FileNoHeader, "first rows are data", 0},
		{"device preparation identifiers", "Contoso,Book 13,CNT1\nContoso,Book 13,CNT2\n", fault.FileNoHeader, "device preparation", 0},
		{"device preparation identifiers with a header", "Manufacturer,Model,Serial\nContoso,Book 13,CNT2\n", fault.FileNoHeader, "device preparation", 1},
		{"no hash column", "Device Serial Number,Windows Product ID\nS1,\n", fault.FileNoHeader, "lacks", 1},
		{"several header problems", "Hardware Hash,Group Tag,OrderID\n" + a + ",x,y\n", fault.FileNoHeader, "lacks", 2},
		{"prose", "Dear all,\nplease find attached the devices.\nRegards\n", fault.FileNoHeader, "first 3 records", 0},
		{"a long preamble", strings.Repeat("title\n", 50) + intune, fault.FileNoHeader, "first 20 records", 0},
		{"no lines", strings.Repeat("x", 2<<20), fault.FileRecordTooLong, "line 1", 0},
	}
	for _, tc := range cases {
		documented(t, tc.name)
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := read(t, tc.text, nil, oemfile.Options{})
			e, ok := errors.AsType[*oemfile.Error](err)
			if !ok || fault.CodeOf(err) != tc.code || !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("got %v, want %s … %s", err, tc.code, tc.says)
			}
			if len(e.Problems) != tc.problems {
				t.Errorf("problems: %+v", e.Problems)
			}
		})
	}
}

// A file that goes bad on the way keeps the rows before.
func TestFilesThatGoBad(t *testing.T) {
	t.Parallel()
	a := wire(t, 1)
	row := "S1,," + a + "\r\n"
	head := "Device Serial Number,Windows Product ID,Hardware Hash\r\n"
	wide := encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), head+row+row)
	cases := []struct {
		name, text string
		options    oemfile.Options
		rows       int
		code       fault.Code
	}{
		{name: "too many rows", text: head + row + row + row, options: oemfile.Options{MaxRows: 2}, rows: 2, code: fault.FileTooManyRows},
		{name: "UTF-8 behind UTF-16", text: wide + row + row, rows: 2, code: fault.FileEncoding},
		{name: "UTF-16 with other ends behind UTF-8", text: head + row + strings.ReplaceAll(wide[2:], "\r\x00", ""), rows: 1, code: fault.FileEncoding},
		{name: "UTF-16 behind UTF-8", text: head + row + wide[2:], rows: 1, code: fault.FileEncoding},
		{name: "a line without end", text: head + row + strings.Repeat("x", 2<<20), rows: 1, code: fault.FileRecordTooLong},
	}
	for _, tc := range cases {
		documented(t, tc.name)
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			rows, _, err := read(t, tc.text, nil, tc.options)
			if len(rows) != tc.rows || fault.CodeOf(err) != tc.code {
				t.Errorf("%d rows, then %v", len(rows), err)
			}
		})
	}
}

func TestLongLineCostsOneRow(t *testing.T) {
	t.Parallel()
	a := wire(t, 1)
	text := intune + "S1,," + a + "\n" + strings.Repeat("x", 100<<10) + "\nS2,," + a + "\n"
	rows, _, err := read(t, text, map[string]string{a: "A"}, oemfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1: S1||A", "2: row.malformed", "3: S2||A"}, rows); diff != "" {
		t.Error(diff)
	}
}

// An upload that breaks off must not leave half a row behind: taken in, it would be refused for good.
func TestBrokenOffRowIsNotRead(t *testing.T) {
	t.Parallel()
	a := wire(t, 1)
	for _, text := range []string{intune + "S1,," + a + "\nS2,," + a[:2000], intune + "S1,," + a + "\n\"S2", intune + "S1,," + a + "\n\"S2\n"} {
		f, err := oemfile.Open(
			io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrUnexpectedEOF)),
			oemfile.Options{},
		)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		last := error(nil)
		for _, err := range f.Rows() {
			if last = err; err == nil {
				n++
			}
		}
		if n != 1 || !errors.Is(last, io.ErrUnexpectedEOF) {
			t.Errorf("%d rows, then %v", n, last)
		}
	}
}
