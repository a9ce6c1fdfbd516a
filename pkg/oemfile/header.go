package oemfile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// column is what a cell means.
type column int

const (
	colSerial column = iota
	colProductKeyID
	colHash
	colGroupTag
	colUser
	colManufacturer
	colModel
	columnCount
)

// columnNames are Microsoft's names, used in answers.
var columnNames = [columnCount]string{
	"Device Serial Number", "Windows Product ID", "Hardware Hash", "Group Tag", "Assigned User",
	"Manufacturer name", "Device model",
}

// aliases maps folded header texts to columns. Folding keeps letters and digits only, in lower case. Sources: Microsoft
// Intune and Partner Center pages on Autopilot CSV files, Configuration Manager's report, and files met in the field.
var aliases = map[string]column{
	"deviceserialnumber": colSerial, "deviceserialnumber0": colSerial, "serialnumber": colSerial,
	"serialnumber0": colSerial,
	"serial":        colSerial, "serialno": colSerial, "deviceserial": colSerial,
	"windowsproductid": colProductKeyID, "windowsproductid0": colProductKeyID, "productid": colProductKeyID,
	"productkeyid": colProductKeyID,
	"pkid":         colProductKeyID, "productkey": colProductKeyID, "windowsproductkeyid": colProductKeyID,
	"hardwarehash": colHash, "hardwarehash0": colHash, "hash": colHash, "devicehash": colHash,
	"devicehardwaredata":  colHash,
	"devicehardwaredata0": colHash, "4khash": colHash, "4khardwarehash": colHash, "hardwarehash4k": colHash,
	"devicehardwarehash": colHash,
	"grouptag":           colGroupTag, "orderid": colGroupTag, "orderidentifier": colGroupTag,
	"autopilotgrouptag": colGroupTag,
	"assigneduser":      colUser, "user": colUser, "userprincipalname": colUser, "upn": colUser,
	"assigneduserprincipalname": colUser,
	"manufacturername":          colManufacturer, "manufacturer": colManufacturer, "make": colManufacturer,
	"devicemanufacturer": colManufacturer,
	"devicemodel":        colModel, "model": colModel, "modelname": colModel,
}

func fold(cell []byte) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, string(cell))
}

// header says where the columns are.
type header struct {
	at      [columnCount]int // index of the cell, -1 when the file has no such column
	cells   int
	labels  int // cells in front of the values that repeat the column names in every record
	unknown int // columns nobody knows
	named   int // columns somebody knows
	twice   []column
}

// readHeader reads a record as a header. It is none when it names neither serial number nor hash, or holds a hash.
func readHeader(cells [][]byte) (header, bool) {
	h := header{cells: len(cells)}
	for c := range h.at {
		h.at[c] = -1
	}
	for i, cell := range cells {
		if hashLike(cell) {
			return h, false
		}
		name := fold(trim(cell))
		c, known := aliases[name]
		switch {
		case name == "":
		case !known:
			h.unknown++
		case h.at[c] >= 0:
			h.twice = append(h.twice, c)
		default:
			h.at[c] = i
			h.named++
		}
	}
	return h, h.at[colSerial] >= 0 || h.at[colHash] >= 0
}

// readLabelled reads a record of Configuration Manager's report, in which the first half of the cells repeats the
// column names and the second half holds the values.
func readLabelled(cells [][]byte) (header, bool) {
	half := len(cells) / 2
	if half < 2 || len(cells)%2 != 0 {
		return header{}, false
	}
	h, ok := readHeader(cells[:half])
	if !ok || h.unknown > 0 || len(h.problems()) > 0 || h.at[colHash] < 0 || !hashLike(cells[half+h.at[colHash]]) {
		return header{}, false
	}
	for c := range h.at {
		if h.at[c] >= 0 {
			h.at[c] += half
		}
	}
	h.cells = len(cells)
	h.labels = half
	return h, true
}

// problems lists everything that makes a header unusable.
func (h header) problems() []Problem {
	var list []Problem
	add := func(c column, format string) {
		list = append(list, Problem{Column: columnNames[c], Detail: fmt.Sprintf(format, columnNames[c])})
	}
	for _, c := range []column{colSerial, colHash} {
		if h.at[c] < 0 {
			add(c, "The column %q is missing.")
		}
	}
	for _, c := range h.twice {
		add(c, "The column %q stands twice.")
	}
	return list
}

// isTuple reports whether the header names devices without a hash, as partners and device preparation do.
func (h header) isTuple() bool {
	return h.at[colHash] < 0 && h.at[colSerial] >= 0 && h.at[colManufacturer] >= 0 && h.at[colModel] >= 0
}

// shortestHash is shorter than any hash, and longer than any other cell, in characters.
const shortestHash = 200

// hashLike recognises the base64 of the magic that every hash begins with.
func hashLike(cell []byte) bool {
	return len(cell) >= shortestHash && bytes.HasPrefix(trim(cell), []byte("T0"))
}

// trim takes off what editors leave around a cell, and the ="…" and ' by which people keep spreadsheets from mangling
// it.
func trim(cell []byte) []byte {
	cell = bytes.TrimFunc(cell, isNoise)
	if len(cell) > 3 && bytes.HasPrefix(cell, []byte(`="`)) && cell[len(cell)-1] == '"' {
		cell = cell[2 : len(cell)-1]
	}
	if len(cell) > 1 && cell[0] == '\'' && bytes.IndexByte([]byte("=+-@0123456789"), cell[1]) >= 0 {
		cell = cell[1:]
	}
	return cell
}

func isNoise(r rune) bool {
	return unicode.IsSpace(r) || r == '\uFEFF' || r == '\u200B' || r == '\x1A' || r == '\x00'
}
