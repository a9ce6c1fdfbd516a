package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// container wraps records without a checksum.
func container(records ...[]byte) []byte {
	b := append([]byte("OA\x00\x00"), bytes.Join(records, nil)...)
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

func hashRecord(kind uint16, value string) []byte {
	b := binary.LittleEndian.AppendUint16(nil, kind)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(value)+4)), value...)
}

// What makes two captures one device.
func TestHardwareKey(t *testing.T) {
	digest := sha256.Sum256([]byte("modulus"))
	offline := func(kind string) []byte {
		return hashRecord(recOfflineID, "\x00\x00\x00\x00"+kind+"\x00\x20\x00\x00\x00"+string(digest[:]))
	}
	names := append(hashRecord(recSerial, "S-1 \x00junk"), hashRecord(recManufacturer, "Contoso\x00")...)
	uuid := hashRecord(recUUID, "0123456789abcdef")
	ek := hashRecord(recEK, "modulus")
	for name, tc := range map[string]struct {
		blob []byte
		want string
	}{
		"offline id of the TPM":  {container(names, uuid, offline("\x01")), "ek:" + hex.EncodeToString(digest[:])},
		"endorsement key":        {container(ek, names, uuid), "ek:" + hex.EncodeToString(digest[:])},
		"offline id of firmware": {container(names, uuid, offline("\x02")), "uuid:" + hex.EncodeToString([]byte("0123456789abcdef")) + ":s-1"},
		"uuid":                   {container(uuid, names), "uuid:" + hex.EncodeToString([]byte("0123456789abcdef")) + ":s-1"},
		"uuid of zeros":          {container(hashRecord(recUUID, string(make([]byte, 16))), names), "serial:contoso|s-1"},
		"uuid of ones":           {container(hashRecord(recUUID, string(bytes.Repeat([]byte{255}, 16))), names), "serial:contoso|s-1"},
		"names only":             {container(names), "serial:contoso|s-1"},
	} {
		hw, err := decodeHash(tc.blob, false)
		if err != nil || hw.key() != tc.want || hw.Serial != "S-1" {
			t.Errorf("%s: %q %+v %v", name, hw.key(), hw, err)
		}
	}
	if key := (Hardware{Serial: "S-1"}).key(); key != "serial:s-1" {
		t.Errorf("seed by serial: %s", key)
	}
}

func TestHashRefusals(t *testing.T) {
	names := append(hashRecord(recSerial, "S"), hashRecord(recManufacturer, "M")...)
	long := container(names)
	binary.LittleEndian.PutUint16(long[2:], 500)
	short := container(names, []byte{1, 0, 3, 0})
	beyond := container(names, []byte{1, 0, 200, 0})
	for name, blob := range map[string][]byte{
		"empty": {}, "magic": []byte("XX\x04\x00"), "total too long": long, "record too short": short, "record too long": beyond,
		"half a record": container(names, []byte{1, 0}), "no serial": container(hashRecord(recManufacturer, "M")),
		"no manufacturer": container(hashRecord(recSerial, "S")),
		"blank serial":    container(hashRecord(recSerial, "  "), hashRecord(recManufacturer, "M")),
	} {
		if _, err := decodeHash(blob, false); err == nil {
			t.Errorf("accepted: %s", name)
		}
	}
	if _, err := decodeHash(container(names), true); err == nil {
		t.Error("accepted without a checksum")
	}
}
