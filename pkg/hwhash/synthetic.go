package hwhash

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"
)

// SetEK gives the device the TPM endorsement key modulus, and the offline device id that belongs to it.
func (r *Report) SetEK(modulus []byte) {
	sum := sha256.Sum256(modulus)
	r.EK = NewSecret(string(modulus))
	r.OfflineID = &OfflineID{Kind: offlineIDOfEK, ID: NewSecret(string(sum[:]))}
}

// RemoveTPM takes away everything a TPM adds to a hash.
func (r *Report) RemoveTPM() {
	r.TPM = ""
	r.EK = Secret{}
	r.OfflineID = nil
}

// CaptureInWinPE makes the report one that was captured in WinPE, which leaves out what a TPM adds.
func (r *Report) CaptureInWinPE() {
	r.RemoveTPM()
	r.Tool.OSType = WinPE
}

// offlineIDOfEK is the kind of an offline device id made from the endorsement key.
const offlineIDOfEK = 1

// model is what all made-up devices of one model share.
type model struct {
	manufacturer, product, sku, family, board string
	cpuMaker, cpuName                         string
	arch                                      Architecture
	cores, threads                            uint16
	chassis                                   uint8
	serial                                    string // format of the serial
}

// models are made up; the names are those Microsoft uses for fictitious companies.
var models = []model{
	{
		"Contoso",
		"Contoso Book 13",
		"CB13-G2#ABA",
		"Contoso Book",
		"CB13A",
		"GenuineIntel",
		"Contoso C5-1145 @ 2.60GHz",
		ArchX64,
		4,
		8,
		10,
		"CNT%08d",
	},
	{
		"Fabrikam, Inc.",
		"Fabrikam Station 900",
		"FS900",
		"Fabrikam Station",
		"FS900-B1",
		"AuthenticAMD",
		"Fabrikam F9 PRO 8-Core",
		ArchX64,
		8,
		16,
		3,
		"FAB-%07d",
	},
	{
		"Northwind",
		"Northwind Slate X",
		"NSX-512",
		"Northwind Slate",
		"NSX",
		"Northwind Silicon",
		"Northwind N1",
		ArchARM64,
		8,
		8,
		32,
		"%012d",
	},
}

// Synthetic makes up a device: plausible in every field, always the same for the same seed, and with other secrets for
// every other seed. It serves fixtures, demonstrations and load; change what matters and Encode it.
func Synthetic(seed uint64) Report {
	random := rand.NewChaCha8(sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("made-up device "), seed)))
	pick := rand.New(random) //nolint:gosec // made-up devices have nothing to hide, and must come out the same again
	m := models[seed%uint64(len(models))]
	r := Report{
		CPU:          &CPU{Architecture: m.arch, Packages: 1, Cores: m.cores, Threads: m.threads},
		CPUMaker:     m.cpuMaker,
		CPUName:      m.cpuName,
		Memory:       &Memory{InstalledGB: 16, MaximumGB: 64, Slots: 2, Arrays: 1, ErrorCorrection: 3},
		Displays:     []Display{{WidthMM: 309, HeightMM: 174, WidthPx: 1920, HeightPx: 1080, Technology: 0x80000000}},
		DisplaySizes: []DisplaySize{{WidthCM: 31, HeightCM: 17}},
		Chassis:      &Chassis{Type: m.chassis, PowerRole: 2},
		TPM: TPM{
			Version:  "2.0",
			Level:    "0",
			Revision: "1.38",
			Vendor:   "SYN",
			Firmware: "7.85.17.51968",
		}.String(),
		UUID:           NewSecret(uuid4(random)),
		Serial:         NewSecret(fmt.Sprintf(m.serial, seed)),
		FirmwareVendor: m.manufacturer,
		Manufacturer:   m.manufacturer,
		Product:        m.product,
		SKU:            m.sku,
		Family:         m.family,
		SystemVersion:  "1.0",
		BoardMaker:     m.manufacturer,
		BoardProduct:   m.board,
		BoardVersion:   "B1",
		ProductKeyID:   NewSecret(fmt.Sprintf("33%011d", pick.Uint64N(1e11))),
		ProductKeyPart: "[TH]X19-00000",
	}
	if m.threads > m.cores {
		r.CPU.HyperThreading = 1
	}
	r.SetEK(modulus(random))
	r.addCapture(pick, m.arch)
	r.addDevices(random, pick)
	return r
}

// addCapture makes up when and with what the device was captured: some day of 2026.
func (r *Report) addCapture(pick *rand.Rand, arch Architecture) {
	windows := Version{Major: 10, Build: 26100, Revision: uint16(1000 + pick.IntN(7000))}
	r.Tool = &Tool{
		Build:        windows,
		OSBuild:      windows,
		CapturedAt:   time.Date(2026, 1, 1, 0, 0, pick.IntN(365*24*60*60), 0, time.UTC),
		ZoneQuarters: int8(4 * (pick.IntN(25) - 12)),
		OSType:       FullOS,
		Architecture: uint8(arch),
		ToolVersion:  9,
	}
}

// addDevices makes up a disk, two adapters and a graphics adapter.
func (r *Report) addDevices(random *rand.ChaCha8, pick *rand.Rand) {
	name := DiskName{Serial: NewSecret(fmt.Sprintf("SYN%09X", pick.Uint64N(1<<36))), Model: "SYN-DISK 512"}
	r.Disks = []Disk{{CapacityGB: 512, Bus: 17, Trim: 1}}
	r.DiskNames = []DiskName{name}
	r.KernelDiskNames = []DiskName{name}
	r.Adapters = []Adapter{
		{Medium: 10, MAC: NewSecret(localMAC(random)), Enumerator: "BTH"},
		{Medium: 9, MAC: NewSecret(localMAC(random)), Enumerator: "PCI"},
	}
	r.GPU = &GPU{VideoMemory: 128 << 20, RemovalPolicy: 1, InLocalMachine: 1}
	r.GPUName = &GPUName{Vendor: "Contoso", Name: "Contoso Graphics"}
}

// uuid4 is a version 4 UUID as SMBIOS stores it: the version sits in the last byte of the third group.
func uuid4(random *rand.ChaCha8) string {
	b := randomBytes(random, uuidSize)
	b[7] = b[7]&0x0F | 0x40
	b[8] = b[8]&0x3F | 0x80
	return string(b)
}

// modulus has the size and the outer bits of an RSA-2048 modulus; it is no product of primes.
func modulus(random *rand.ChaCha8) []byte {
	b := randomBytes(random, 2048/8)
	b[0] |= 0x80
	b[len(b)-1] |= 1
	return b
}

// localMAC is a locally administered unicast address, so it belongs to no maker.
func localMAC(random *rand.ChaCha8) string {
	b := randomBytes(random, macSize)
	b[0] = b[0]&^1 | 2
	return string(b)
}

func randomBytes(random *rand.ChaCha8, n int) []byte {
	b := make([]byte, n)
	// ChaCha8 always fills b and never fails.
	_, _ = random.Read(b)
	return b
}
