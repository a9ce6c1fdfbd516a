package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Hardware is what the service reads out of a hardware hash, or what a seed
// says instead of one.
type Hardware struct {
	Hash         string `json:"hash,omitempty"`   // base64; the other fields are read from it
	EKHash       string `json:"ekHash,omitempty"` // SHA-256 of the TPM endorsement key, hex
	UUID         string `json:"uuid,omitempty"`   // 16 raw bytes, hex
	Serial       string `json:"serial,omitempty"`
	Manufacturer string `json:"manufacturer,omitempty"`
	Model        string `json:"model,omitempty"`
	SKU          string `json:"sku,omitempty"`
	Family       string `json:"family,omitempty"`
}

var errHash = errors.New("not a hardware hash")

// Record types of the OA3 container that the service looks at.
const (
	recOfflineID    = 11
	recUUID         = 12
	recSerial       = 14
	recManufacturer = 16
	recModel        = 17
	recSKU          = 18
	recFamily       = 19
	recEK           = 25
)

// decodeHash reads the blob behind the base64: "OA", the length up to the end
// of the records, records of type, length (with its own four bytes) and value,
// then "CS", 36 and the SHA-256 of everything before.
func decodeHash(blob []byte, verify bool) (Hardware, error) {
	if len(blob) < 4 || string(blob[:2]) != "OA" {
		return Hardware{}, fmt.Errorf("%w: magic", errHash)
	}
	total := int(binary.LittleEndian.Uint16(blob[2:]))
	if total < 4 || total > len(blob) {
		return Hardware{}, fmt.Errorf("%w: length", errHash)
	}
	if verify && !checksumRight(blob, total) {
		return Hardware{}, fmt.Errorf("%w: checksum", errHash)
	}
	var hw Hardware
	for rest := blob[4:total]; len(rest) > 0; {
		if len(rest) < 4 {
			return Hardware{}, fmt.Errorf("%w: record", errHash)
		}
		kind := binary.LittleEndian.Uint16(rest)
		n := int(binary.LittleEndian.Uint16(rest[2:]))
		if n < 4 || n > len(rest) {
			return Hardware{}, fmt.Errorf("%w: record", errHash)
		}
		hw.read(kind, rest[4:n])
		rest = rest[n:]
	}
	if hw.Serial == "" || hw.Manufacturer == "" {
		return hw, fmt.Errorf("%w: no serial or no manufacturer", errHash)
	}
	return hw, nil
}

func checksumRight(blob []byte, total int) bool {
	if len(blob) < total+36 || string(blob[total:total+2]) != "CS" {
		return false
	}
	sum := sha256.Sum256(blob[:total])
	return string(blob[total+4:total+36]) == string(sum[:])
}

func (hw *Hardware) read(kind uint16, value []byte) {
	switch kind {
	case recOfflineID:
		if len(value) >= 42 && value[4] == 1 { // kind 1: of the TPM
			hw.EKHash = hex.EncodeToString(value[len(value)-32:])
		}
	case recEK:
		if hw.EKHash == "" {
			sum := sha256.Sum256(value)
			hw.EKHash = hex.EncodeToString(sum[:])
		}
	case recUUID:
		hw.UUID = hex.EncodeToString(value)
	case recSerial:
		hw.Serial = text(value)
	case recManufacturer:
		hw.Manufacturer = text(value)
	case recModel:
		hw.Model = text(value)
	case recSKU:
		hw.SKU = text(value)
	case recFamily:
		hw.Family = text(value)
	}
}

func text(value []byte) string {
	s, _, _ := strings.Cut(string(value), "\x00")
	return strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD"))
}

// key is what makes two captures one device: the TPM, else the SMBIOS UUID with the serial,
// else manufacturer and serial. Microsoft has not documented its rule.
func (hw Hardware) key() string {
	switch uuid := strings.ToLower(hw.UUID); {
	case hw.EKHash != "":
		return "ek:" + strings.ToLower(hw.EKHash)
	case strings.Trim(uuid, "0") != "" && strings.Trim(uuid, "f") != "":
		return "uuid:" + uuid + ":" + strings.ToLower(hw.Serial)
	case hw.Manufacturer == "":
		return "serial:" + fold(hw.Serial)
	default:
		return "serial:" + fold(hw.Manufacturer) + "|" + fold(hw.Serial)
	}
}

// keys are all names under which a seed may have planted the device.
func (hw Hardware) keys() []string {
	return []string{
		hw.key(),
		Hardware{Serial: hw.Serial, Manufacturer: hw.Manufacturer}.key(),
		Hardware{Serial: hw.Serial}.key(),
	}
}

func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
