package validate

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"taxiway.example/pkg/fault"
)

// What a spreadsheet does to a serial number made of digits: it takes it for a number, keeps 15 significant digits,
// drops leading zeros, and shows long ones in exponent form. Microsoft: "Excel specifications and limits", number
// precision.
const excelDigits = 15

var (
	exponentForm = regexp.MustCompile(`^(\d+)(?:[.,](\d+))?[eE]\+(\d{1,3})$`)
	numeric      = regexp.MustCompile(`^\d+(?:[eE]\d{1,3})?$`)
)

// excelDamage says how a spreadsheet made given out of serial, "" if it did not.
func excelDamage(given, serial string) fault.Code {
	if !numeric.MatchString(serial) {
		return ""
	}
	switch {
	case isExponentOf(given, serial):
		return fault.RowSerialExponent
	case !isDigits(given) || !isDigits(serial):
		return ""
	case given == withoutZeros(serial):
		return fault.RowSerialZeros
	case given == zeroTail(withoutZeros(serial)):
		return fault.RowSerialDigits
	}
	return ""
}

func isExponent(s string) bool { return exponentForm.MatchString(s) }

// isExponentOf reports whether serial, rounded to as many digits as given shows, is given.
func isExponentOf(given, serial string) bool {
	m := exponentForm.FindStringSubmatch(given)
	if m == nil {
		return false
	}
	shown, err1 := strconv.ParseFloat(m[1]+"."+m[2]+"e"+m[3], 64)
	exact, err2 := strconv.ParseFloat(serial, 64)
	exponent, err3 := strconv.Atoi(m[3])
	if err1 != nil || err2 != nil || err3 != nil {
		return false
	}
	unit := math.Pow10(exponent - len(m[2]))
	return math.Abs(exact-shown) <= unit/2*(1+1e-9)
}

func withoutZeros(s string) string {
	if short := strings.TrimLeft(s, "0"); short != "" {
		return short
	}
	return "0"
}

// zeroTail sets the digits to zero that a spreadsheet does not keep.
func zeroTail(digits string) string {
	if len(digits) <= excelDigits {
		return digits
	}
	return digits[:excelDigits] + strings.Repeat("0", len(digits)-excelDigits)
}
