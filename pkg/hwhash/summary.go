package hwhash

import "time"

// Summary is what identity and validation need of a hash. It is cheap: its texts are cut from the hash
// without copying, and what is secret stays inside the hash until a Reveal method is called.
// A Summary keeps its Hash alive.
type Summary struct {
	Manufacturer string    // system manufacturer (record 16), trimmed
	Product      string    // product name or model (record 17), trimmed
	TPMVersion   string    // "2.0", "1.2"; empty without a TPM (record 13)
	CapturedAt   time.Time // UTC, whole seconds (record 1); zero when the hash does not say
	OSType       OSType    // what the capture ran on (record 1)
	Warnings     Warnings  // what is odd about the hash, without what needs a clock; see WarningsAt

	hash         Hash
	serial       span // record 14
	productKeyID span // record 24
	uuid         span // record 12, 16 bytes
	ekHash       span // the 32 bytes of record 11
	ek           span // record 25
}

// span is a piece of the canonical bytes: offset and length. A span of length 0 means "not there".
type span struct{ off, n uint16 }

// RevealSerial returns the SMBIOS system serial (record 14), trimmed.
func (s Summary) RevealSerial() string { return trimText(s.cut(s.serial)) }

// RevealProductKeyID returns the product key id (record 24), trimmed. It is a second way to register the device.
func (s Summary) RevealProductKeyID() string { return trimText(s.cut(s.productKeyID)) }

// RevealUUID returns the SMBIOS UUID (record 12) as stored; all zero when there is none.
func (s Summary) RevealUUID() (uuid [16]byte) {
	copy(uuid[:], s.cut(s.uuid))
	return uuid
}

// RevealEKHash returns the SHA-256 of the TPM endorsement key; all zero when the hash names none.
func (s Summary) RevealEKHash() (sum [32]byte) {
	if s.ekHash.n == 0 && s.ek.n > 0 {
		return sumString(s.cut(s.ek))
	}
	copy(sum[:], s.cut(s.ekHash))
	return sum
}

// HasEK reports whether the hash names a TPM endorsement key.
func (s Summary) HasEK() bool { return s.ekHash.n > 0 || s.ek.n > 0 }

// HasTPM2 reports whether the hash shows a TPM 2.0 with its key, which self-deploying and pre-provisioning
// modes need.
func (s Summary) HasTPM2() bool { return s.TPMVersion == "2.0" && s.HasEK() }

// Digest returns the digest of the hash.
func (s Summary) Digest() [32]byte { return s.hash.Digest() }

// String returns a line without secrets.
func (s Summary) String() string { return s.Manufacturer + " " + s.Product }

func (s Summary) cut(p span) string { return s.hash.raw()[p.off : int(p.off)+int(p.n)] }
