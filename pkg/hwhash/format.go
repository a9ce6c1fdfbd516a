package hwhash

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// FormatUUID prints an SMBIOS UUID as Windows does: the first three groups are little endian.
func FormatUUID(uuid [16]byte) string {
	order := [16]byte{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}
	var b strings.Builder
	for i, at := range order {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b.WriteByte('-')
		}
		b.WriteString(hex.EncodeToString(uuid[at : at+1]))
	}
	return strings.ToUpper(b.String())
}

// FormatMAC prints the bytes of a MAC address, such as 00:15:5D:01:02:03.
func FormatMAC(mac string) string {
	pairs := make([]string, len(mac))
	for i := range pairs {
		pairs[i] = hex.EncodeToString([]byte(mac[i : i+1]))
	}
	return strings.ToUpper(strings.Join(pairs, ":"))
}

// String prints the version as major.minor.build.revision.
func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d.%d", v.Major, v.Minor, v.Build, v.Revision)
}

// TPM is the text of record 13, taken apart.
type TPM struct{ Version, Level, Revision, Vendor, Firmware string }

// tpmLabels stand between the parts of the text.
var tpmLabels = []string{tpmVersionLabel, "-Level:", "-Revision:", "-VendorID:", "-Firmware:"}

// ParseTPM takes apart "TPM-Version:2.0 -Level:0-Revision:1.38-VendorID:'IFX '-Firmware:7.85"; false if text is another
// one.
func ParseTPM(text string) (TPM, bool) {
	var t TPM
	parts := []*string{&t.Version, &t.Level, &t.Revision, &t.Vendor, &t.Firmware}
	_, rest, ok := strings.Cut(text, tpmLabels[0])
	for i, label := range tpmLabels[1:] {
		var found bool
		*parts[i], rest, found = strings.Cut(rest, label)
		ok = ok && found
	}
	t.Firmware = rest
	for _, part := range parts {
		*part = strings.Trim(strings.TrimSpace(*part), "' ")
	}
	return t, ok
}

// String writes the text of record 13.
func (t TPM) String() string {
	return tpmLabels[0] + t.Version + " " + tpmLabels[1] + t.Level + tpmLabels[2] + t.Revision +
		tpmLabels[3] + "'" + t.Vendor + " '" + tpmLabels[4] + t.Firmware
}
