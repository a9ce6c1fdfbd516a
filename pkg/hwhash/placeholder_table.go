package hwhash

import "strings"

// listedSerials are serials that public lists know as shared by many machines, folded as appendFolded does. The kinds
// of lists: block lists of inventory servers (Fleet, GLPI, OCS Inventory, FOG), firmware tests (the Firmware Test
// Suite), field tests of monitoring agents and system information tools (netdata, fastfetch), and Linux sound drivers.
var listedSerials = setOf(`
	none none1 noneprovided null nullstring nil na unknown unknow undefined unspecified invalid empty default
	defaultstring oemdefaultstring000 standard notspecified notapplicable notavailable notpresent notsettable notdefined
	notsupport notsupported notsupportedbycpu noassettag noassetinformation noenclosure badindex outofspec cutout

	oem oemmb oemserial filledbyoem fillbyoem tobefilledbyoem tobefilledbyoembymorestring tobedefinedbyoem tbd tbdbyoem
	tbdbyodm type1tbdbyoem dell eval iatpass tulipcomputers

	serial serialnum serialnumber serialnumberxxxxxx systemserial systemserialnumber systemserialnumb
	chassisserialnumber oemchassisserialnumber baseboardserialnumber unspecifiedbaseboardserialnumber
	type2boardserialnumber sku systemname systemproductname productname

	1 12345 123456 1234567 12345678 123456789 1234567890 123456789000 12345678901234567 012345678 0123456789 01234567890
	012345678900 0123456789000 0123456789abcdef 9876543210 1111111 1111111111 0x0000 0x00000000 0x0000000000000000
	ffffffff ffffffffffffffff nnnnnnn sn12345 sn1234567890 sn123456fvgv3i0b8o5n6n7k sys1234567890 sys9876543210
	mb1234567890 nb1234567890 nb0123456789 eeepc1234567890 ssn12345678901234567 csn12345678901234567 01234567
`)

// numberedNames are names that firmware numbers through: SMBIOS_STRING_INDEX_0 of virtual machines and of WinPE.
var numberedNames = []string{"smbiosstringindex", "sernum", "oemdefine"}

// labelWords are the words that names of the field are made of; a word stands before those it begins with.
var labelWords = strings.Fields(`
	unspecified motherboard mainboard baseboard enclosure computer chassis product machine default sernum system service
	number serial smbios string device board asset model type1 type2 type3 bios base name type unit oem odm num sys tag
	ssn bsn csn no nr sn mb nb
`)

// listedUUIDs are SMBIOS UUIDs that public lists know as shared by many machines, as people read them. The kinds of
// lists: osquery, GLPI, FOG and Fleet; the start scripts of FreeBSD; the Firmware Test Suite; and the specification,
// which gives all zeros and all ones a meaning.
var listedUUIDs = [][2]uint64{
	{0x00000000_0000_0000, 0x0000_000000000000}, // never set
	{0xFFFFFFFF_FFFF_FFFF, 0xFFFF_FFFFFFFFFFFF}, // not set, but can be
	{0xFFFFFF00_FFFF_FFFF, 0xFFFF_FFFFFFFFFFFF},
	{0x03000200_0400_0500, 0x0006_000700080009}, // the default of a widespread firmware
	{0x02000100_0300_0400, 0x0005_000600070008},
	{0x00010203_0405_0607, 0x0809_0A0B0C0D0E0F},
	{0x01020304_0506_0708, 0x090A_0B0C0D0E0F10},
	{0x07090201_0103_0301, 0x0807_060504030201},
	{0x01234567_89AB_CDEF, 0x0123_456789ABCDEF},
	{0x01234567_8910_1112, 0x1314_151617181920},
	{0x12345678_1234_5678, 0x1234_567812345678},
	{0x12345678_1234_5678, 0x90AB_CDDEEFAABBCC},
	{0x11111111_2222_3333, 0x4444_555555555555},
	{0x10000000_0000_8000, 0x0040_000000000000},
	{0xDEADBEEF_DEAD_BEEF, 0xDEAD_BEEFDEADBEEF},
	{0x01010101_0101_0101, 0x0101_010101010101},
	{0x0A0A0A0A_0A0A_0A0A, 0x0A0A_0A0A0A0A0A0A},
	{0x11111111_1111_1111, 0x1111_111111111111},
	{0x58585858_5858_5858, 0x5858_585858585858},
	{0xAAAAAAAA_AAAA_AAAA, 0xAAAA_AAAAAAAAAAAA},
	{0xFEFEFEFE_FEFE_FEFE, 0xFEFE_FEFEFEFEFEFE},
	{0x4C4C4544_0000_2010, 0x8020_80C04F202020}, // a Dell board without a service tag: blanks in its place
	{0x4C4C4544_0000_1010, 0x8010_C4C04F313233},
	{0x6AB5B300_538D_1014, 0x9FB5_B0684D007B53},
	{0x890E2D14_CACD_45D1, 0xAE66_BC80E8BFEB0F},
	{0x8E275844_178F_44A8, 0xACEB_A7D7E5178C63},
	{0xDC698397_FA54_4CF2, 0x82C8_B1B5307A6A7F},
}

func setOf(words string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}
