package inventory

import (
	"fmt"

	"taxiway.example/pkg/hwhash"
)

// named is a number that has a name. Numbers without one are shown as they are.
func named[T ~uint8 | ~uint16 | ~uint32](key, label string, names map[T]string, n T) Fact {
	name, ok := names[n]
	if !ok {
		name = fmt.Sprintf("unknown (%d)", n)
	}
	return Fact{Key: key, Label: label, Value: name, Text: name}
}

// The names of numbers; sources: SMBIOS specification (DSP0134) for chassis and error correction, Microsoft's
// "STORAGE_BUS_TYPE", "NDIS_PHYSICAL_MEDIUM", "POWER_PLATFORM_ROLE" and "SYSTEM_INFO" for the rest.
var (
	architectures = map[hwhash.Architecture]string{
		hwhash.ArchX86:   "x86",
		hwhash.ArchX64:   "x64",
		hwhash.ArchARM64: "ARM64",
	}

	osTypes = map[hwhash.OSType]string{hwhash.WinPE: "WinPE", hwhash.FullOS: "full Windows"}

	chassisTypes = map[uint8]string{
		1: "other", 2: "unknown", 3: "desktop", 4: "low-profile desktop", 5: "pizza box", 6: "mini tower", 7: "tower",
		8: "portable",
		9: "laptop", 10: "notebook", 11: "hand held", 12: "docking station", 13: "all-in-one", 14: "sub-notebook",
		15: "space-saving",
		16: "lunch box", 17: "main server chassis", 23: "rack mount", 24: "sealed-case PC", 28: "blade", 30: "tablet",
		31: "convertible",
		32: "detachable", 33: "IoT gateway", 34: "embedded PC", 35: "mini PC", 36: "stick PC",
	}

	powerRoles = map[uint8]string{
		0: "unspecified", 1: "desktop", 2: "mobile", 3: "workstation", 4: "enterprise server", 5: "SOHO server",
		6: "appliance PC",
		7: "performance server", 8: "slate",
	}

	errorCorrections = map[uint8]string{
		1: "other",
		2: "unknown",
		3: "none",
		4: "parity",
		5: "single bit",
		6: "multi bit",
		7: "CRC",
	}

	buses = map[uint16]string{
		0: "unknown bus", 1: "SCSI", 2: "ATAPI", 3: "ATA", 7: "USB", 8: "RAID", 9: "iSCSI", 10: "SAS", 11: "SATA",
		12: "SD", 13: "MMC",
		14: "virtual", 15: "virtual, file-backed", 16: "Storage Spaces", 17: "NVMe", 18: "SCM", 19: "UFS",
	}

	answers = map[uint8]string{0: "no", 1: "yes", 255: "unknown"}

	media = map[uint32]string{
		0:  "unspecified",
		1:  "WLAN",
		8:  "WWAN",
		9:  "native 802.11",
		10: "Bluetooth",
		14: "Ethernet",
	}

	offlineIDKinds = map[uint16]string{1: "TPM", 2: "UEFI variable"}

	displayTechnologies = map[uint32]string{
		0: "VGA", 4: "DVI", 5: "HDMI", 6: "LVDS", 10: "DisplayPort", 11: "embedded DisplayPort", 15: "Miracast",
		0x80000000: "internal", 0xFFFFFFFF: "other",
	}
)
