package intake

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// digestBytes are enough to tell a row from another one at the same place of another file; nobody gains by making two
// alike.
const digestBytes = 8

// digest is a short SHA-256 of everything that was sent of the row, and of the tag that the delivery gives rows without
// one.
func (r Row) digest(tag string) string {
	h := sha256.New()
	write := func(cell []byte) {
		_, _ = h.Write(binary.AppendUvarint(nil, uint64(len(cell)))) // a hash never fails
		_, _ = h.Write(cell)
	}
	write(r.Hash.Reveal())
	cells := []string{r.Serial.Reveal(), r.ProductKeyID.Reveal(), r.Manufacturer, r.Model, r.GroupTag, r.User, tag}
	if r.Reject != nil {
		cells = append(cells, string(r.Reject.Code), r.Reject.Column, r.Reject.Detail)
	}
	for _, cell := range cells {
		write([]byte(cell))
	}
	return hex.EncodeToString(h.Sum(nil)[:digestBytes])
}
