package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/validate"
)

// capture is one hash that a command was given, whole or damaged.
type capture struct {
	from    string // file name or "standard input"
	report  hwhash.Report
	damage  *hwhash.Error // nil when the hash is whole
	hash    hwhash.Hash   // zero when it is damaged
	summary hwhash.Summary
}

// openCapture reads the hash that arg is, or that stands in the file it names; "-" is standard input. row picks one of
// a device list; 0 means that there is only one.
func openCapture(stdin io.Reader, arg string, row int) (capture, error) {
	text, from, err := hashText(stdin, arg, row)
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

// identity is how a device is recognised.
type identity struct {
	Key       device.Key     `json:"key"`
	MatchedBy device.KeyKind `json:"matchedBy"`
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
	v := captureView{
		From:      c.from,
		OK:        c.damage == nil,
		Warnings:  []warningView{},
		Inventory: inventory.Of(c.report).JSON(reveal),
	}
	if c.damage != nil {
		code, _ := validate.OfHash(c.damage)
		v.Error = &damageView{code, c.damage.Offset, c.damage.Records, c.damage.Detail, c.damage.Code.Advice()}
		v.Records = c.damage.Records
		return v
	}
	digest := c.hash.Digest()
	v.Digest = hex.EncodeToString(digest[:])
	v.Bytes = len(c.hash.Canonical())
	for range c.hash.Records() {
		v.Records++
	}
	if key, kind, err := device.Identify(device.IdentifiersOf(c.summary)); err == nil {
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
