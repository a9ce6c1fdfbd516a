package main

import (
	"bytes"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/validate"
)

// maxHashFile bounds what is read of a file that should hold one hash: an OA3.xml is the largest.
const maxHashFile = 1 << 20

// capture is one hash that a command was given, whole or damaged.
type capture struct {
	from    string // file name or "standard input"
	report  hwhash.Report
	damage  *hwhash.Error // nil when the hash is whole
	hash    hwhash.Hash   // zero when it is damaged
	summary hwhash.Summary
}

// openCapture reads the hash that arg is, or that stands in the file it names; "-" is standard input.
func openCapture(stdin io.Reader, arg string) (capture, error) {
	text, from, err := hashText(stdin, arg)
	if err != nil {
		return capture{}, err
	}
	c := capture{from: from}
	if c.hash, err = hwhash.Parse(text); err == nil {
		if c.summary, err = hwhash.Summarize(c.hash); err != nil {
			return capture{}, err
		}
		c.report, err = hwhash.Decode(c.hash)
		return c, err
	}
	if c.report, err = hwhash.Inspect(text); !errors.As(err, &c.damage) {
		return capture{}, err
	}
	return c, nil
}

func hashText(stdin io.Reader, arg string) (text, from string, err error) {
	if arg == "-" {
		text, err = hashIn(stdin)
		return text, "standard input", err
	}
	f, err := os.Open(arg)
	if err != nil {
		if looksLikeHash(arg) {
			return arg, "the command line", nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("%s: there is no such file, and it is no hash", cut(arg))
		}
		return "", "", err
	}
	defer f.Close() //nolint:errcheck // only read
	text, err = hashIn(f)
	if err != nil {
		err = fmt.Errorf("%s: %w", arg, err)
	}
	return text, arg, err
}

// looksLikeHash tells a hash on the command line from the name of a file that is not there.
func looksLikeHash(arg string) bool {
	return len(arg) > 255 || strings.HasPrefix(arg, "T0")
}

// cut keeps error messages short and free of hashes.
func cut(arg string) string {
	const most = 80
	if len(arg) > most {
		return arg[:most] + "…"
	}
	return arg
}

// hashIn finds the hash in a file: its whole content, or the element of an OA3.xml.
func hashIn(r io.Reader) (string, error) {
	plain := transform.NewReader(io.LimitReader(r, maxHashFile), unicode.BOMOverride(encoding.Nop.NewDecoder()))
	content, err := io.ReadAll(plain)
	if err != nil {
		return "", err
	}
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("<")) {
		return hashInXML(content)
	}
	return string(content), nil
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

// identity is how a device is recognised.
type identity struct {
	Key      device.Key          `json:"key"`
	Evidence device.EvidenceKind `json:"evidence"`
}

type damageView struct {
	Code    fault.Code `json:"code"`
	Offset  int        `json:"offset"`
	Records int        `json:"records"` // whole records before the offset
	Detail  string     `json:"detail"`
	Advice  string     `json:"advice"`
}

type warningView struct {
	Code   string `json:"code"`
	Advice string `json:"advice"`
}

// captureView is a capture as JSON.
type captureView struct {
	From      string         `json:"from"`
	OK        bool           `json:"ok"`
	Error     *damageView    `json:"error,omitempty"`
	Digest    string         `json:"digest,omitempty"`
	Bytes     int            `json:"bytes,omitempty"`
	Records   int            `json:"records"`
	Device    *identity      `json:"device"` // null when nothing tells it from another
	Warnings  []warningView  `json:"warnings"`
	Inventory map[string]any `json:"inventory"`
}

func (c capture) view(reveal bool, now time.Time) captureView {
	v := captureView{From: c.from, OK: c.damage == nil, Warnings: []warningView{}, Inventory: inventory.Of(c.report).JSON(reveal)}
	if c.damage != nil {
		code, _ := validate.OfHash(c.damage)
		v.Error = &damageView{code, c.damage.Offset, c.damage.Records, c.damage.Detail, c.damage.Code.Advice()}
		v.Records = c.damage.Records
		return v
	}
	digest := c.hash.Digest()
	v.Digest, v.Bytes = hex.EncodeToString(digest[:]), len(c.hash.Canonical())
	for range c.hash.Records() {
		v.Records++
	}
	if key, kind, err := device.Identify(device.EvidenceOf(c.summary)); err == nil {
		v.Device = &identity{key, kind}
	}
	for w := range c.summary.WarningsAt(now).All() {
		v.Warnings = append(v.Warnings, warningView{"hash." + w.String(), w.Advice()})
	}
	return v
}

// failure is the error a command ends with when the capture is damaged.
func (c capture) failure() error {
	if c.damage == nil {
		return nil
	}
	code, _ := validate.OfHash(c.damage)
	return fmt.Errorf("%s: the hash is damaged (%s)", c.from, code)
}
