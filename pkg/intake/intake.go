// Package intake turns a row of a device list into a candidate for the ledger: Row is a row as it was sent, Classify
// decodes its hash and checks it by the rules of the tenant, Candidate is the result. It reads no ledger, so that the
// command line gives the same results without a server.
package intake

import (
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
)

// Row is one device as somebody sent it. Cells are trimmed; what was not sent is empty.
type Row struct {
	Number int     // 1 for the first record after the header
	Line   int     // where the record begins in its file; 0 when there is no file
	Reject *Reject // why the record is no row; nothing else is set then

	Serial       device.Serial
	ProductKeyID device.ProductKeyID
	Hash         RawHash
	Manufacturer string
	Model        string
	GroupTag     string
	User         string
}

// RawHash is the text of a hash that nobody has read yet. It does not print.
type RawHash struct {
	hwhash.Redacted
	text []byte
}

// NewRawHash hides text, which must not change afterwards.
func NewRawHash(text []byte) RawHash { return RawHash{text: text} }

// Reveal returns the text; the caller must not change it.
func (h RawHash) Reveal() []byte { return h.text }
