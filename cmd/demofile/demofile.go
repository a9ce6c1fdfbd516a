// Package demofile makes up an OEM file that contains what real files contain: good devices, repetitions, a later
// capture of a known device, damaged hashes, mixed-up rows, firmware placeholder, and devices that Autopilot already
// knows.
package demofile

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"time"

	"taxiway.example/pkg/hwhash"
)

// MinRows is the smallest file that has room for one of everything.
const MinRows = 12

// Tags are the group tags of the file's rows.
var Tags = []string{"KIOSK", "OFFICE", "LAB"}

// File is a made-up OEM file and what is odd about it.
type File struct {
	CSV         []byte // Intune form: header, CRLF, UTF-8
	Rows        int
	Hashes      []string    // of the good rows, wire form; for tests that look for leaks
	OtherTenant hwhash.Hash // registered in another tenant
	AlreadyHere hwhash.Hash // registered in this tenant before
}

// captured is when the made-up devices were captured: a day that has passed.
var captured = time.Date(2026, 1, 15, 8, 0, 0, 0, time.UTC)

type writer struct {
	file *File
	buf  bytes.Buffer
	seed uint64
}

// Generate makes up a file of the given number of rows, at least MinRows, the same for the same seed.
func Generate(rows int, seed uint64) (*File, error) {
	if rows < MinRows {
		return nil, fmt.Errorf("a demo file has at least %d rows", MinRows)
	}
	w := &writer{file: &File{Rows: rows}, seed: seed * 1_000_003}
	w.buf.WriteString("Device Serial Number,Windows Product ID,Hardware Hash,Group Tag\r\n")
	for _, odd := range oddities {
		if err := odd(w); err != nil {
			return nil, err
		}
	}
	for n := bytes.Count(w.buf.Bytes(), []byte("\n")) - 1; n < rows; n++ {
		if _, _, err := w.good(); err != nil {
			return nil, err
		}
	}
	w.file.CSV = w.buf.Bytes()
	return w.file, nil
}

// device makes up the next device; change may make it odd.
func (w *writer) device(change func(*hwhash.Report)) (hwhash.Report, hwhash.Hash, error) {
	w.seed++
	r := hwhash.Synthetic(w.seed)
	r.Tool.CapturedAt = captured
	if change != nil {
		change(&r)
	}
	h, err := hwhash.Encode(r)
	return r, h, err
}

// good writes the row of a device as it should be.
func (w *writer) good() (hwhash.Report, hwhash.Hash, error) {
	r, h, err := w.device(nil)
	if err == nil {
		w.row(r.Serial.Reveal(), h.Wire())
		w.file.Hashes = append(w.file.Hashes, h.Wire())
	}
	return r, h, err
}

func (w *writer) row(serial, hash string) {
	fmt.Fprintf(&w.buf, "%s,,%s,%s\r\n", serial, hash, Tags[w.seed%uint64(len(Tags))])
}

// oddities write the rows that are not ordinary.
var oddities = []func(*writer) error{
	repetition,
	recapture,
	brokenChecksum,
	cutHash,
	foreignSerial,
	placeholder,
	otherTenant,
	alreadyHere,
}

func repetition(w *writer) error {
	r, h, err := w.good()
	w.row(r.Serial.Reveal(), h.Wire())
	return err
}

func recapture(w *writer) error {
	r, _, err := w.good()
	if err != nil {
		return err
	}
	r.Tool.CapturedAt = captured.AddDate(0, 1, 0)
	r.Adapters = append(
		r.Adapters,
		hwhash.Adapter{Medium: 14, MAC: hwhash.NewSecret("\x02\x00\x00\x00\x00\x01"), Enumerator: "USB"},
	)
	h, err := hwhash.Encode(r)
	w.row(r.Serial.Reveal(), h.Wire())
	return err
}

func brokenChecksum(w *writer) error {
	r, h, err := w.device(nil)
	if err != nil {
		return err
	}
	raw := bytes.Replace(h.Canonical(), []byte(r.Product), bytes.ToUpper([]byte(r.Product)), 1)
	w.row(r.Serial.Reveal(), base64.StdEncoding.EncodeToString(raw))
	return nil
}

func cutHash(w *writer) error {
	r, h, err := w.device(nil)
	w.row(r.Serial.Reveal(), h.Wire()[:800])
	return err
}

func foreignSerial(w *writer) error {
	_, h, err := w.device(nil)
	w.row("SOMEBODY-ELSE-1", h.Wire())
	return err
}

func placeholder(w *writer) error {
	r, h, err := w.device(func(r *hwhash.Report) {
		r.RemoveTPM()
		r.UUID = hwhash.NewSecret(string(bytes.Repeat([]byte{0xFF}, 16)))
		r.Serial = hwhash.NewSecret("To be filled by O.E.M.")
	})
	w.row(r.Serial.Reveal(), h.Wire())
	return err
}

func otherTenant(w *writer) error {
	_, h, err := w.good()
	w.file.OtherTenant = h
	return err
}

func alreadyHere(w *writer) error {
	_, h, err := w.good()
	w.file.AlreadyHere = h
	return err
}
