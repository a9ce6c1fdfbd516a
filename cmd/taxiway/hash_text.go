package main

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/oemfile"
)

const (
	maxHashFile = 1 << 20 // bytes of a file that holds one hash: an OA3.xml is the largest
	headSize    = 4 << 10 // bytes by which a device list is told from a hash
	maxFileName = 255     // characters; what is longer on a command line is a hash
	mostShown   = 80      // characters of a wrong argument in a message, which may be a hash after all
)

// hashText finds the text of the hash that arg stands for, and says where it was found.
func hashText(stdin io.Reader, arg string, row int) (text, from string, err error) {
	if arg == "-" {
		text, err = hashIn(stdin, row)
		return text, "standard input", err
	}
	f, err := os.Open(arg)
	switch {
	case err == nil:
		defer f.Close() //nolint:errcheck // only read
		if text, err = hashIn(f, row); err != nil {
			err = fmt.Errorf("%s: %w", arg, err)
		}
		return text, arg, err
	case len(arg) > maxFileName || strings.HasPrefix(arg, "T0"):
		return arg, "the command line", nil
	case errors.Is(err, fs.ErrNotExist):
		return "", "", fmt.Errorf("%.*s: there is no such file, and it is no hash", mostShown, arg)
	}
	return "", "", err
}

// hashIn finds the hash in a file: a row of a device list, the element of an OA3.xml, or the whole content.
func hashIn(r io.Reader, row int) (string, error) {
	in := bufio.NewReaderSize(r, headSize)
	head, err := in.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if isList(head) {
		return hashInList(in, row)
	}
	plain := transform.NewReader(io.LimitReader(in, maxHashFile), unicode.BOMOverride(encoding.Nop.NewDecoder()))
	content, err := io.ReadAll(plain)
	if err != nil {
		return "", err
	}
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("<")) {
		return hashInXML(content)
	}
	return string(content), nil
}

// isList reports whether the first line of a file has cells. A hash has none, whatever its encoding.
func isList(head []byte) bool {
	first, _, _ := bytes.Cut(bytes.TrimSpace(head), []byte("\n"))
	return len(first) < headSize/2 && !bytes.HasPrefix(first, []byte("<")) && bytes.ContainsAny(first, ",;\t")
}

// hashInList returns the hash of a row; without a row's number there must be only one.
func hashInList(r io.Reader, number int) (string, error) {
	list, err := oemfile.Open(r, oemfile.Options{})
	if err != nil {
		return "", err
	}
	var found []intake.Row
	for row, err := range list.Rows() {
		switch {
		case err != nil:
			return "", err
		case number == 0 || row.Number == number:
			found = append(found, row)
		}
		if number == 0 && len(found) > 1 {
			return "", &exitError{exitUsage, errors.New("the list has several rows: name one with --row")}
		}
		if number != 0 && len(found) == 1 {
			break
		}
	}
	switch {
	case len(found) == 0:
		return "", errors.New("the list has no such row")
	case found[0].Reject != nil:
		return "", fmt.Errorf("row %d: %s: %s", found[0].Number, found[0].Reject.Code, found[0].Reject.Detail)
	}
	return string(found[0].Hash.Reveal()), nil
}

// hashInXML finds Key/HardwareHash in the report of oa3tool /Report.
func hashInXML(content []byte) (string, error) {
	d := xml.NewDecoder(bytes.NewReader(content))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // already decoded
	for {
		token, err := d.Token()
		if err != nil {
			return "", errors.New("the XML has no HardwareHash element")
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "HardwareHash" {
			var text string
			err := d.DecodeElement(&text, &e)
			return text, err
		}
	}
}
