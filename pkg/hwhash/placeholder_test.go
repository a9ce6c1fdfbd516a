package hwhash_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"taxiway.example/pkg/hwhash"
)

func TestSerialPlaceholder(t *testing.T) {
	tests := map[hwhash.Placeholder][]string{
		hwhash.Listed: {
			"", "  ", " . ", "................", "0", "0000 0000", "XXXXXXXX", "xx.xx", strings.Repeat("0", 200),
			strings.Repeat("X ", 200), "To be filled by O.E.M.", "To Be Filled By OEM by More String", "O.E.M.",
			"TBD by OEM", "Default string", "$(DEFAULT_STRING)", "OEM Default string000", "System Serial Number",
			"SystemSerialNumb", "Chassis Serial Number", "Type2 - Board Serial Number", "Serial", "SERNUM", "SerNum03",
			"SMBIOS_STRING_INDEX_0", "SMBIOS_STRING_INDEX_4", "SMBIOS_STRING_INDEX_127", "Not Specified", "Not Present",
			"Not Applicable", "INVALID", "Undefined", "Unknow", "[Empty]", "(null string)", "<BAD INDEX>", "N/A", "NA",
			"None", "None1", "0123456789", "123456789", "1234567890", "0123456789ABCDEF", "SYS-1234567890",
			"MB-1234567890", "0x00000000", "FFFFFFFF", "EVAL", "Serial Number xxxxxx",
			"SSN12345678901234567", "System Serial#",
		},
		hwhash.Suspected: {
			"2", "77", "NO", "22222222", "AAAAAAA", "12121212", "ABCABCABC", "123412341234", "�����", "1234",
			"87654321", "ABCDEFGH", "hgfedcba", "9012345", "89ABCDEF", "SN-0000000", "S/N: 7777777", "Serial No. 12345",
			"BSN12345678901234567", "Serial No.", "System S/N", "Board Serial Number", "Device Asset Tag",
			"Unspecified System Serial Number", "Type1 - System Serial Number",
		},
		hwhash.NoPlaceholder: {
			"5CG0000AAA", "R-0", "S-0-1", "000000001", strings.Repeat("0", 200) + "1", "SN0042", "NONE7A",
			"VMware-56 4d 1e 0c 5b 8a 3c 11-9f 02 6d 4e 7a 21 b0 c3", "0000-0011-6872-6210-2385-8470-64",
			"001230000000456",
			"Parallels-7A 11 C3 5E 90 2B 4F 0D A8 66 1C 37 E2 B9 54 F1", "SMBIOS_STRING_INDEX_A", "INDEX", "序列号",
		},
	}
	for want, serials := range tests {
		for _, serial := range serials {
			for _, folding := range foldings(serial) {
				if got := hwhash.SerialPlaceholder(folding); got != want {
					t.Errorf("%q: %v, want %v", folding, got, want)
				}
			}
		}
	}
}

// foldings are ways to write a serial that mean the same.
func foldings(serial string) []string {
	signs := strings.NewReplacer(" ", "", ".", "", "-", "", "_", "", "/", "")
	return []string{
		serial, strings.ToUpper(serial), strings.ToLower(serial), signs.Replace(serial), "\t" + serial + " ",
		strings.ReplaceAll(serial, " ", "_"), strings.ReplaceAll(serial, " ", "-"), "<" + serial + ">",
	}
}

// Serials in the shapes that makers give are no placeholders. The seed is fixed, for one in some million would be, by
// chance.
func TestSerialsOfMakersAreNoPlaceholders(t *testing.T) {
	shapes := []string{
		"5CG###????", "5CD###????", "MXL###????", "CND###????", // HP
		"??????#", "#??????", // Dell
		"PF??????", "MP??????", "R9??????", "MJ??????", // Lenovo
		"0#########53",                   // Surface
		"NX@@@@@00###########@@",         // Acer
		"@#@@@@#########", "@#@@######@", // ASUS
		"VMware-56 4d %% %% %% %% %% %%-%% %% %% %% %% %% %% %%",
		"####-####-####-####-####-####-##", // Hyper-V
		"C02?????????", "Parallels-%% %% %% %% %% %% %% %% %% %% %% %% %% %% %% %%",
		"#@@@@#####", "@@###@####", "@#######H", // Panasonic, Getac, Dynabook
		"##########", "#######", "????????????",
	}
	random := rand.New(rand.NewPCG(20, 26))
	for i := range 20_000 {
		serial := shaped(random, shapes[i%len(shapes)])
		if got := hwhash.SerialPlaceholder(serial); got != hwhash.NoPlaceholder {
			t.Errorf("%q: %v", serial, got)
		}
	}
}

// shaped writes a serial: # stands for a digit, @ for a letter, ? for either, % for a hexadecimal digit.
func shaped(random *rand.Rand, shape string) string {
	const digits, letters = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	sets := map[byte]string{'#': digits, '@': letters, '?': digits + letters, '%': digits + letters[:6]}
	serial := []byte(shape)
	for i, c := range serial {
		if set := sets[c]; set != "" {
			serial[i] = set[random.IntN(len(set))]
		}
	}
	return string(serial)
}

func TestUUIDPlaceholder(t *testing.T) {
	tests := map[hwhash.Placeholder][]string{
		hwhash.Listed: {
			"00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
			"FFFFFF00-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "03000200-0400-0500-0006-000700080009",
			"00020003-0004-0005-0006-000700080009", "12345678-1234-5678-90AB-CDDEEFAABBCC",
			"FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE", "01020304-0506-0708-090A-0B0C0D0E0F10",
			"03020100-0504-0706-0809-0A0B0C0D0E0F", "10000000-0000-8000-0040-000000000000",
			"11111111-2222-3333-4444-555555555555", "4C4C4544-0000-2010-8020-80C04F202020",
			"12345678-1234-5678-1234-567812345678", "01234567-89AB-CDEF-0123-456789ABCDEF",
			"6AB5B300-538D-1014-9FB5-B0684D007B53", "01010101-0101-0101-0101-010101010101",
		},
		hwhash.Suspected: {
			"77777777-7777-7777-7777-777777777777", "ABCDEF01-ABCD-EF01-ABCD-EF01ABCDEF01",
			"00112233-4455-6677-8899-AABBCCDDEEFF", "0F0E0D0C-0B0A-0908-0706-050403020100",
			"00000000-0000-0000-0000-000000000001", "56F49712-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
		},
		hwhash.NoPlaceholder: {
			"00000000-0000-0000-0000-AC1F6BD04978", "76006B9C-C49C-0000-0000-000000000000",
			"4C4C4544-0042-3510-8052-B3C04F4B4E32", "564D1E0C-5B8A-3C11-9F02-6D4E7A21B0C3",
			"03D40274-0435-05BF-D906-D20700080009", "D7821635-38AB-11EC-80F0-842AFD3C5E11",
		},
	}
	for want, uuids := range tests {
		for _, text := range uuids {
			printed := uuidOf(t, text)
			for _, uuid := range [][16]byte{printed, flipped(printed)} {
				if got := hwhash.UUIDPlaceholder(uuid); got != want {
					t.Errorf("%s as %x: %v, want %v", text, uuid, got, want)
				}
			}
		}
	}
}

func uuidOf(t *testing.T, text string) (uuid [16]byte) {
	t.Helper()
	if n, err := hex.Decode(uuid[:], []byte(strings.ReplaceAll(text, "-", ""))); err != nil || n != len(uuid) {
		t.Fatalf("%s: %d bytes, %v", text, n, err)
	}
	return uuid
}

func flipped(u [16]byte) [16]byte {
	u[0], u[1], u[2], u[3] = u[3], u[2], u[1], u[0]
	u[4], u[5], u[6], u[7] = u[5], u[4], u[7], u[6]
	return u
}

func TestRandomUUIDsAreNoPlaceholders(t *testing.T) {
	random := rand.NewChaCha8([32]byte{20, 26})
	for range 20_000 {
		var uuid [16]byte
		_, _ = random.Read(uuid[:])
		if got := hwhash.UUIDPlaceholder(uuid); got != hwhash.NoPlaceholder {
			t.Errorf("%x: %v", uuid, got)
		}
	}
}

func TestPlaceholderPrints(t *testing.T) {
	got := fmt.Sprint(hwhash.NoPlaceholder, hwhash.Suspected, hwhash.Listed)
	if want := "none suspected listed"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestPlaceholderCostsNoMemory(t *testing.T) {
	serials := []string{
		"5CG1234ABC", "To be filled by O.E.M.", "VMware-56 4d 1e 0c 5b 8a 3c 11-9f 02 6d 4e 7a 21 b0 c3",
	}
	for _, serial := range serials {
		if n := testing.AllocsPerRun(100, func() { _ = hwhash.SerialPlaceholder(serial) }); n != 0 {
			t.Errorf("%q: %v allocations", serial, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _ = hwhash.UUIDPlaceholder([16]byte{1, 2, 3}) }); n != 0 {
		t.Errorf("a UUID: %v allocations", n)
	}
}
