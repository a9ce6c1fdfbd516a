package e2e

import (
	"bytes"
	"encoding/base64"
	"testing"

	"taxiway.example/cmd/demofile"
)

// traces are what gives a file's devices away: serial numbers, and pieces of hashes as they travel and as bytes.
func traces(t *testing.T, f *demofile.File) (serials, hashes [][]byte) {
	t.Helper()
	const piece = 48 // characters; 36 bytes
	for _, row := range sheetOf(t, f)[1:] {
		serials = append(serials, []byte(row[0]))
		wire := row[2]
		for _, at := range []int{0, 240, 600} {
			part := wire[at : at+piece]
			raw, err := base64.StdEncoding.DecodeString(part)
			if err != nil {
				t.Fatal(err)
			}
			hashes = append(hashes, []byte(part))
			if len(bytes.TrimRight(raw, "\x00")) > 24 { // what is mostly padding gives nobody away
				hashes = append(hashes, raw)
			}
		}
	}
	return serials, hashes
}

// discreet checks that a text gives none of the file's devices away.
func discreet(t *testing.T, what string, text []byte, f *demofile.File) {
	t.Helper()
	if len(text) == 0 {
		t.Errorf("%s is empty: nothing was checked", what)
	}
	serials, hashes := traces(t, f)
	for _, s := range serials {
		if i := bytes.Index(text, s); i >= 0 {
			t.Errorf("%s has a serial number: …%q…", what, text[max(0, i-80):min(len(text), i+80)])
			return
		}
	}
	for _, h := range hashes {
		if i := bytes.Index(text, h); i >= 0 {
			t.Errorf("%s has a piece of a hash: …%q…", what, text[max(0, i-200):i])
			return
		}
	}
}
