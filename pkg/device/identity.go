package device

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"
)

// EvidenceKind says what a device was recognised by.
type EvidenceKind string

// The kinds of evidence, best first.
const (
	EvidenceTPMEK      EvidenceKind = "tpm_ek"      // SHA-256 of the TPM endorsement key
	EvidenceSMBIOSUUID EvidenceKind = "smbios_uuid" // SMBIOS UUID that is no placeholder
	EvidenceSerial     EvidenceKind = "serial"      // manufacturer, product and serial that is no placeholder
)

// Key names a device within a tenant: stable, printable, and opaque. It is a kind ("ek", "uuid", "sn"), a dash and 52
// characters of lower-case base32 of a SHA-256. The tenant is not inside; (tenant, key) is unique.
type Key string

// ErrNoIdentity means that nothing in the evidence can tell this device from another.
var ErrNoIdentity = errors.New("the hash has no TPM key, no usable UUID and no usable serial")

// Identify returns the key of the device and what it rests on: the TPM endorsement key if there is one, else the SMBIOS
// UUID unless it is a placeholder, else manufacturer, product and serial unless that is a placeholder.
// Otherwise the error is ErrNoIdentity.
func Identify(e Evidence) (Key, EvidenceKind, error) {
	switch {
	case e.HasEK():
		return Key(digest("ek", string(e.EKHash[:]))), EvidenceTPMEK, nil
	case e.HasUUID():
		return Key(digest("uuid", string(e.UUID[:]))), EvidenceSMBIOSUUID, nil
	case e.HasSerial():
		return Key(digest("sn", fold(e.Manufacturer), fold(e.Product), e.Serial.Fold())), EvidenceSerial, nil
	}
	return "", "", ErrNoIdentity
}

// SerialKey returns a stable, opaque digest of manufacturer and serial, by which captures of one serial are found whatever
// their identity rests on. It is empty when the two cannot tell devices apart.
func SerialKey(manufacturer string, s Serial) string {
	if !(Evidence{Manufacturer: manufacturer, Serial: s}).HasSerial() {
		return ""
	}
	return digest("ms", fold(manufacturer), s.Fold())
}

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// digest hashes the parts with their lengths, so that no two lists of parts collide by concatenation.
func digest(kind string, parts ...string) string {
	var b strings.Builder
	var size [binary.MaxVarintLen64]byte
	for _, part := range append([]string{"taxiway device", kind}, parts...) {
		b.Write(size[:binary.PutUvarint(size[:], uint64(len(part)))])
		b.WriteString(part)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return kind + "-" + base32Lower.EncodeToString(sum[:])
}
