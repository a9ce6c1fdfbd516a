package hwhash

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// check finds out whether raw is a whole, undamaged hash, with any number of zeros behind it, and returns the number of
// its canonical bytes. Fewer bytes than that can do: zeros at the end of the checksum may have been cut with the tail.
func check(raw []byte) (int, error) {
	if len(raw) < 2 || raw[0] != 'O' || raw[1] != 'A' {
		return 0, fail(CodeNoMagic, 0, 0, "This does not begin like a hardware hash.")
	}
	l := survey(raw)
	if err := l.checkTotal(raw); err != nil {
		return 0, err
	}
	total := recordsEnd(raw)
	if err := l.checkTrailer(raw, total); err != nil {
		return 0, err
	}
	if l.end != total {
		return 0, fail(
			CodeBadRecord,
			l.end,
			l.whole,
			"After %d whole records the next one does not end where the records end.",
			l.whole,
		)
	}
	return total + trailerSize, l.checkEK(raw)
}

// layout is what one walk over the records finds.
type layout struct {
	whole  int  // number of whole records
	end    int  // where the last of them ends
	ek, id span // the first TypeEK and the first TypeOfflineID
}

func survey(raw []byte) layout {
	l := layout{end: headerSize}
	for t, p := range spans(raw) {
		l.whole = l.whole + 1
		l.end = int(p.off) + int(p.n)
		switch {
		case t == TypeEK && l.ek.n == 0:
			l.ek = p
		case t == TypeOfflineID && l.id.n == 0:
			l.id = p
		}
	}
	return l
}

// checkTotal compares the stated length of magic and records with what is there.
func (l layout) checkTotal(raw []byte) error {
	if len(raw) < headerSize {
		return fail(CodeTruncated, len(raw), 0, "Only %d bytes are there.", len(raw))
	}
	total := int(binary.LittleEndian.Uint16(raw[2:]))
	switch {
	case total < headerSize:
		return fail(CodeBadRecord, 2, 0, "The stated length of %d bytes is impossible.", total)
	case total > MaxRecords:
		return fail(CodeTooLarge, 2, 0, "The stated length is %d bytes; a hash holds %d at most.", total, MaxRecords)
	case total > len(raw):
		return fail(
			CodeTruncated,
			len(raw),
			l.whole,
			"%d of %d bytes are there, with %d whole records.",
			len(raw),
			total,
			l.whole,
		)
	}
	return nil
}

// checkTrailer compares the checksum behind the records with the records.
func (l layout) checkTrailer(raw []byte, total int) error {
	given, found := bytes.CutPrefix(raw[total:], []byte(trailerMagic))
	if !found {
		return fail(CodeChecksumMissing, total, l.whole, "The checksum behind the %d records is not there.", l.whole)
	}
	sum := sha256.Sum256(raw[:total])
	cut := len(given) < len(sum)
	switch {
	case cut && bytes.HasPrefix(sum[:], given) && zero(sum[len(given):]):
		return nil
	case cut:
		return fail(CodeChecksumMissing, len(raw), l.whole, "The value ends within its checksum.")
	case !bytes.Equal(given[:len(sum)], sum[:]):
		return fail(CodeChecksumMismatch, total, l.whole, "The checksum is not that of the %d records.", l.whole)
	case !zero(given[len(sum):]):
		return fail(CodeTrailingData, total+trailerSize, l.whole, "Something follows the end of the hash.")
	}
	return nil
}

// checkEK compares the TPM endorsement key with the offline device id that was made from it.
func (l layout) checkEK(raw []byte) error {
	id := raw[l.id.off : l.id.off+l.id.n]
	want := ekHashIn(id)
	if l.ek.n == 0 || want.n == 0 {
		return nil
	}
	sum := sha256.Sum256(raw[l.ek.off : l.ek.off+l.ek.n])
	if !bytes.Equal(sum[:], id[want.off:]) {
		return fail(CodeEKMismatch, int(l.ek.off), l.whole, "The offline device id does not belong to the TPM key.")
	}
	return nil
}

// ekHashIn finds the SHA-256 of the endorsement key within the value of an offline device id: u32 status, u16 kind, u32
// length, that many bytes. Another kind, status or shape holds none.
func ekHashIn[B ~string | ~[]byte](value B) span {
	const want = "\x00\x00\x00\x00" + "\x01\x00" + "\x20\x00\x00\x00"
	if len(value) != len(want)+sha256.Size || string(value[:len(want)]) != want {
		return span{}
	}
	return span{uint16(len(want)), sha256.Size}
}

// trailerMagic stands before the checksum: "CS" and the size of the trailer.
const trailerMagic = "CS\x24\x00"

// seal appends the trailer.
func seal(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	return append(append(raw, trailerMagic...), sum[:]...)
}

// zero reports whether b has nothing but zeros: the first byte is one, and each equals the next.
func zero(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}
