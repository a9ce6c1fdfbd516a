package hwhash

import "time"

// OSType says what a hash was captured on.
type OSType uint8

// The kinds of OS; no other value has been seen.
const (
	WinPE  OSType = 1 // the preinstallation environment, in which the capture tool cannot read the TPM
	FullOS OSType = 2 // an installed Windows, OOBE included
)

// Architecture is a processor architecture as Windows numbers it (SYSTEM_INFO, wProcessorArchitecture).
type Architecture uint16

// The architectures.
const (
	ArchX86   Architecture = 0
	ArchX64   Architecture = 9
	ArchARM64 Architecture = 12
)

// Report is everything a hash says. Pointers are nil, texts and slices empty, where the hash has no such record. Texts
// end before their first NUL and keep outer blanks; what is not UTF-8 is replaced.
type Report struct {
	Tool      *Tool
	CPU       *CPU
	HybridCPU []CoreClass
	CPUMaker  string
	CPUName   string
	Memory    *Memory

	Disks           []Disk
	DiskNames       []DiskName
	KernelDiskNames []DiskName // read through the kernel rather than the driver's user side
	Adapters        []Adapter
	Displays        []Display
	DisplaySizes    []DisplaySize // in the order of Displays
	Chassis         *Chassis
	GPU             *GPU
	GPUName         *GPUName

	TPM       string // see ParseTPM
	EK        Secret // TPM endorsement key: the raw modulus of an RSA-2048 key
	OfflineID *OfflineID

	UUID           Secret // 16 bytes as SMBIOS stores them; see FormatUUID
	Serial         Secret
	FirmwareVendor string
	Manufacturer   string
	Product        string
	SKU            string
	Family         string
	SystemVersion  string
	BoardMaker     string
	BoardProduct   string
	BoardVersion   string
	ProductKeyID   Secret
	ProductKeyPart string
	Text36         Secret // a text nobody has named; it may identify the device

	// Other holds what is in no field above, in order: types without a known meaning, known types of an odd shape,
	// repetitions.
	Other []Record
}

// Version is a build number as Windows prints it.
type Version struct{ Major, Minor, Build, Revision uint16 }

// Tool says what captured the hash, when, and on what (record 1).
type Tool struct {
	Build        Version // of the capturing component
	OSBuild      Version
	CapturedAt   time.Time // UTC, whole seconds, from 2000 to 2136
	ZoneQuarters int8      // time zone in quarter hours from UTC; see Zone
	OSType       OSType
	Architecture uint8
	ToolVersion  uint8 // 3 with Windows build 16299, 5 with 19041, 8 with 22621, 9 with 26100
}

// CPU counts processors (record 2).
type CPU struct {
	Architecture             Architecture
	Packages, Cores, Threads uint16
	HyperThreading           uint32 // 0 or 1
}

// CoreClass is one kind of core of a hybrid processor (record 34).
type CoreClass struct {
	Efficiency     uint8
	Cores, Threads uint16
}

// Memory describes the main memory (record 5).
type Memory struct {
	InstalledGB, MaximumGB uint64
	Slots, Arrays          uint16
	ErrorCorrection        uint8 // SMBIOS: 3 none, 4 parity, 5 single bit, 6 multi bit, 7 CRC
}

// Disk describes a disk (record 6).
type Disk struct {
	CapacityGB  uint64 // decimal
	Bus         uint16 // STORAGE_BUS_TYPE: 8 RAID, 10 SAS, 11 SATA, 17 NVMe
	SeekPenalty uint8  // 0, 1, 255 unknown
	Trim        uint8
}

// DiskName names a disk (records 7 and 28).
type DiskName struct {
	Serial        Secret
	Model, Vendor string
}

// Adapter is a network adapter (record 8).
type Adapter struct {
	Medium     uint32 // NDIS physical medium: 0 unspecified, 1 WLAN, 9 native 802.11, 10 Bluetooth, 14 802.3
	MAC        Secret // 6 bytes; see FormatMAC
	Enumerator string // PCI, BTH, USB, VMBUS
}

// Display describes a display (record 9).
type Display struct {
	WidthMM, HeightMM, WidthPx, HeightPx uint16
	Technology                           uint32 // 0x80000000 internal, 0xFFFFFFFF other
}

// DisplaySize is the size of a display in whole centimetres (record 27), 0 by 0 on a virtual machine.
type DisplaySize struct{ WidthCM, HeightCM uint16 }

// Chassis describes the case (record 10).
type Chassis struct {
	Type         uint8 // SMBIOS chassis type: 3 desktop, 9 laptop, 10 notebook, …
	PowerRole    uint8 // power platform role: 1 desktop, 2 mobile
	OpticalDrive uint8
	Digitizer    uint8 // flags
	Unknown      uint8 // always 0 so far
}

// OfflineID is the offline device id (record 11).
type OfflineID struct {
	Status uint32 // 0: valid
	Kind   uint16 // 1: SHA-256 of the TPM endorsement key, 2: a UEFI variable
	ID     Secret
}

// GPU describes the graphics adapter (record 29).
type GPU struct {
	VideoMemory, SystemMemory uint64 // dedicated, bytes
	RemovalPolicy             uint8
	InLocalMachine            uint8 // in the local machine container
}

// GPUName names the graphics adapter (record 30).
type GPUName struct{ Vendor, Name string }

// Zone returns the time zone of the capture as an offset from UTC. It is unknown if the hash says more than 14 hours,
// as the tool of Windows build 16299 always does.
func (t Tool) Zone() (offset time.Duration, known bool) {
	const furthest = 14 * 4
	if t.ZoneQuarters < -furthest || t.ZoneQuarters > furthest {
		return 0, false
	}
	return time.Duration(t.ZoneQuarters) * 15 * time.Minute, true
}
