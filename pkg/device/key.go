package device

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"taxiway.example/pkg/hwhash"
)

// KeyKind says what a key rests on.
type KeyKind string

// The kinds of keys, best first.
const (
	KeyTPMEK      KeyKind = "tpm_ek"      // SHA-256 of the TPM endorsement key
	KeySMBIOSUUID KeyKind = "smbios_uuid" // SMBIOS UUID that is no placeholder, with the serial number unless that is one
	KeySerial     KeyKind = "serial"      // manufacturer, product and serial number that is no placeholder
	KeySuspected  KeyKind = "suspected"   // nothing but values that are suspected to be placeholders
)

var keyKinds = []KeyKind{KeyTPMEK, KeySMBIOSUUID, KeySerial, KeySuspected}

// betterThan orders kinds of keys.
func (k KeyKind) betterThan(other KeyKind) bool {
	return slices.Index(keyKinds, k) < slices.Index(keyKinds, other)
}

// Key names a device within a tenant: stable, printable, and opaque. It is a kind ("ek", "uuid", "sn", "sus"), a dash
// and 52 characters of lower-case base32 of a SHA-256. The tenant is not inside; (tenant, key) is unique.
type Key string

// ErrNoIdentity means that nothing in the capture can tell this device from another.
var ErrNoIdentity = errors.New("the hash has no TPM key, no usable UUID and no usable serial")

// Identify returns the key of a device and its kind. Disks and network addresses change and are no part of a key. The
// error is ErrNoIdentity.
func Identify(i Identifiers) (Key, KeyKind, error) {
	switch {
	case i.HasEK():
		return digest("ek", string(i.EKHash[:])), KeyTPMEK, nil
	case i.HasUUID() && i.HasSerial():
		return digest("uuid", string(i.UUID[:]), i.Serial.Fold()), KeySMBIOSUUID, nil
	case i.HasUUID():
		return digest("uuid", string(i.UUID[:])), KeySMBIOSUUID, nil
	case i.HasSerial():
		return digest("sn", fold(i.Manufacturer), fold(i.Product), i.Serial.Fold()), KeySerial, nil
	}
	uuid, serial := i.suspected()
	if uuid == "" && serial == "" {
		return "", "", ErrNoIdentity
	}
	return digest("sus", uuid, fold(i.Manufacturer), fold(i.Product), serial), KeySuspected, nil
}

// suspected returns the UUID and the folded serial number as far as they are suspected to be placeholders, ""
// otherwise.
func (i Identifiers) suspected() (uuid, serial string) {
	if i.uuid() == hwhash.Suspected {
		uuid = string(i.UUID[:])
	}
	if i.serial() == hwhash.Suspected {
		serial = i.Serial.Fold()
	}
	return uuid, serial
}

// ofCapture is the key of one capture of a device whose own key too many devices claim.
func (k Key) ofCapture(c Capture) Key { return digest("capture", string(k), string(c.Digest[:])) }

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// digest hashes the parts with their lengths, so that no two lists of parts collide by concatenation.
func digest(kind string, parts ...string) Key {
	var b strings.Builder
	var size [binary.MaxVarintLen64]byte
	for _, part := range append([]string{"taxiway device", kind}, parts...) {
		b.Write(size[:binary.PutUvarint(size[:], uint64(len(part)))])
		b.WriteString(part)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return Key(kind + "-" + base32Lower.EncodeToString(sum[:]))
}
