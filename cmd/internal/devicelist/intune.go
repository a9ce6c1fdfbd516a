package devicelist

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/charmap"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
)

// MaxRows is how many rows Intune takes in one file. Source: Microsoft, "Manually register devices with Windows
// Autopilot".
const MaxRows = 500

// Part gathers the rows of one file in the form that Intune imports: its header, no quotation marks, ANSI, CRLF, hashes
// with their padding. The last two columns are left out when no row needs them.
type Part struct {
	rows []record
}

type record struct{ serial, productKeyID, hash, groupTag, user string }

// Len returns the number of rows.
func (p *Part) Len() int { return len(p.rows) }

// Add takes an accepted row. What the form cannot express is a fault that says which cell.
func (p *Part) Add(r Row) error {
	hash, err := hwhash.FromCanonical(r.candidate.Canonical)
	if err != nil {
		return err
	}
	c := r.candidate
	row := record{c.Capture.Serial.Reveal(), c.ProductKeyID.Reveal(), hash.Wire(), c.GroupTag, c.User}
	for _, cell := range []struct {
		text string
		code fault.Code
		name string
	}{
		{row.serial, fault.RowMalformed, "serial number"},
		{row.groupTag, fault.RowGroupTagInvalid, "group tag"},
		{row.user, fault.RowUserInvalid, "assigned user"},
	} {
		if err := expressible(cell.text); err != nil {
			return fault.Newf(cell.code, "The %s %s; Intune's form has no way to write it.", cell.name, err)
		}
	}
	p.rows = append(p.rows, row)
	return nil
}

func expressible(text string) error {
	if strings.ContainsAny(text, ",\"\r\n") {
		return errors.New("holds a comma, a quotation mark or a line break")
	}
	if _, err := charmap.Windows1252.NewEncoder().String(text); err != nil {
		return errors.New("holds a character that ANSI does not have")
	}
	return nil
}

// WriteTo writes the file.
func (p *Part) WriteTo(w io.Writer) (int64, error) {
	tags := false
	users := false
	for _, r := range p.rows {
		tags = tags || r.groupTag != ""
		users = users || r.user != ""
	}
	var b strings.Builder
	line := func(r record) {
		fmt.Fprintf(&b, "%s,%s,%s", r.serial, r.productKeyID, r.hash)
		if tags || users {
			b.WriteString("," + r.groupTag)
		}
		if users {
			b.WriteString("," + r.user)
		}
		b.WriteString("\r\n")
	}
	line(record{"Device Serial Number", "Windows Product ID", "Hardware Hash", "Group Tag", "Assigned User"})
	for _, r := range p.rows {
		line(r)
	}
	ansi, err := charmap.Windows1252.NewEncoder().String(b.String())
	if err != nil {
		return 0, err
	}
	n, err := io.WriteString(w, ansi)
	return int64(n), err
}

// Refuse turns a row that a Part could not take into a rejected one.
func (r Row) Refuse(err error) Row {
	r.Outcome = device.Rejected
	r.Code = fault.CodeOf(err)
	r.Detail = fault.DetailOf(err)
	return r
}
