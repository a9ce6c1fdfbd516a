package inventory

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"taxiway.example/pkg/hwhash"
)

// Of lays out a report.
func Of(r hwhash.Report) Inventory {
	all := Inventory{
		system(r), board(r), tpm(r), windows(r), capture(r), processor(r), memory(r),
		disks("disks", "Disks", r.Disks, r.DiskNames), kernelDisks(r), adapters(r), displays(r), graphics(r), others(r),
	}
	return slices.DeleteFunc(all, func(s Section) bool { return len(s.Items) == 0 })
}

func system(r hwhash.Report) Section {
	facts := []Fact{
		text("manufacturer", "Manufacturer", r.Manufacturer),
		text("product", "Product", r.Product),
		text("sku", "SKU", r.SKU),
		text("family", "Family", r.Family),
		text("version", "Version", r.SystemVersion),
		secret("serial", "Serial", r.Serial, strings.TrimSpace),
		secret("uuid", "UUID", r.UUID, uuidForm),
	}
	if c := r.Chassis; c != nil {
		facts = append(
			facts,
			named("chassisType", "Chassis", chassisTypes, c.Type),
			named("powerRole", "Power", powerRoles, c.PowerRole),
		)
	}
	return one("system", "System", facts...)
}

func board(r hwhash.Report) Section {
	return one("board", "Board",
		text("manufacturer", "Manufacturer", r.BoardMaker), text("product", "Product", r.BoardProduct),
		text("version", "Version", r.BoardVersion), text("firmwareVendor", "Firmware", r.FirmwareVendor))
}

func tpm(r hwhash.Report) Section {
	var facts []Fact
	if t, ok := hwhash.ParseTPM(r.TPM); ok {
		facts = append(
			facts,
			text(
				"version",
				"Version",
				t.Version,
			),
			text("vendor", "Vendor", t.Vendor),
			text("firmware", "Firmware", t.Firmware),
			text("level", "Level", t.Level),
			text("revision", "Revision", t.Revision),
		)
	} else {
		facts = append(facts, text("text", "Text", r.TPM))
	}
	if t := r.Tool; t != nil && t.OSType == hwhash.WinPE && r.TPM == "" && r.EK.IsZero() {
		facts = append(facts, text("unread", "Not read", "captured in WinPE, which cannot read the TPM"))
	}
	facts = append(facts, secret("endorsementKey", "Key, SHA-256", r.EK, sha256Form))
	if o := r.OfflineID; o != nil {
		facts = append(
			facts,
			named("offlineIdKind", "Offline id of", offlineIDKinds, o.Kind),
			secret("offlineId", "Offline id", o.ID, hexForm),
		)
	}
	return one("tpm", "TPM", facts...)
}

func windows(r hwhash.Report) Section {
	return one(
		"windows",
		"Windows",
		secret(
			"productKeyId",
			"Product key id",
			r.ProductKeyID,
			strings.TrimSpace,
		),
		text("productKeyPart", "Part number", r.ProductKeyPart),
	)
}

func capture(r hwhash.Report) Section {
	t := r.Tool
	if t == nil {
		return Section{}
	}
	facts := []Fact{instant("capturedAt", "Taken", t.CapturedAt)}
	if offset, known := t.Zone(); known {
		facts = append(
			facts,
			text(
				"timeZone",
				"Time zone",
				"UTC"+t.CapturedAt.In(time.FixedZone("", int(offset.Seconds()))).Format("-07:00"),
			),
		)
	}
	return one("capture", "Capture", append(facts,
		text("osBuild", "Windows build", t.OSBuild.String()), named("osType", "Taken in", osTypes, t.OSType),
		text("toolBuild", "Tool build", t.Build.String()), number("toolVersion", "Tool version", t.ToolVersion, ""),
		named("toolArchitecture", "Architecture", architectures, hwhash.Architecture(t.Architecture)))...)
}

func processor(r hwhash.Report) Section {
	facts := []Fact{text("name", "Name", r.CPUName), text("manufacturer", "Manufacturer", r.CPUMaker)}
	if c := r.CPU; c != nil {
		facts = append(
			facts,
			named(
				"architecture",
				"Architecture",
				architectures,
				c.Architecture,
			),
			number("packages", "Packages", c.Packages, ""),
			number(
				"cores",
				"Cores",
				c.Cores,
				"",
			),
			number("threads", "Threads", c.Threads, ""),
			yes("hyperThreading", "Hyper-threading", c.HyperThreading != 0),
		)
	}
	var classes []string
	for _, c := range r.HybridCPU {
		classes = append(
			classes,
			fmt.Sprintf("%d cores, %d threads of efficiency class %d", c.Cores, c.Threads, c.Efficiency),
		)
	}
	return one("cpu", "Processor", append(facts, text("coreClasses", "Kinds of cores", strings.Join(classes, "; ")))...)
}

func memory(r hwhash.Report) Section {
	m := r.Memory
	if m == nil {
		return Section{}
	}
	return one("memory", "Memory",
		number("installedGB", "Installed", m.InstalledGB, " GB"), number("maximumGB", "Maximum", m.MaximumGB, " GB"),
		number("slots", "Slots", m.Slots, ""), number("arrays", "Arrays", m.Arrays, ""),
		named("errorCorrection", "Error correction", errorCorrections, m.ErrorCorrection))
}

// disks lays disks and their names side by side; a hash has both in the same order.
func disks(key, title string, known []hwhash.Disk, names []hwhash.DiskName) Section {
	items := make([]Item, max(len(known), len(names)))
	for i := range items {
		if i < len(names) {
			n := names[i]
			items[i] = append(
				items[i],
				text("model", "", n.Model),
				text("vendor", "", n.Vendor),
				secret("serial", "serial", n.Serial, strings.TrimSpace),
			)
		}
		if i < len(known) {
			d := known[i]
			items[i] = append(items[i], number("capacityGB", "", d.CapacityGB, " GB"), named("bus", "", buses, d.Bus),
				named("seekPenalty", "seek penalty", answers, d.SeekPenalty), named("trim", "TRIM", answers, d.Trim))
		}
	}
	return list(key, title, items...)
}

// kernelDisks says what the kernel calls the disks, where that is something else.
func kernelDisks(r hwhash.Report) Section {
	if slices.Equal(r.DiskNames, r.KernelDiskNames) {
		return Section{}
	}
	return disks("kernelDisks", "Disks, as the kernel names them", nil, r.KernelDiskNames)
}

func adapters(r hwhash.Report) Section {
	var items []Item
	for _, a := range r.Adapters {
		items = append(
			items,
			Item{
				named("medium", "", media, a.Medium),
				text("enumerator", "on", a.Enumerator),
				secret("mac", "MAC", a.MAC, hwhash.FormatMAC),
			},
		)
	}
	return list("adapters", "Network adapters", items...)
}

// displays lays displays and their rounded sizes side by side; a hash has both in the same order.
func displays(r hwhash.Report) Section {
	items := make([]Item, max(len(r.Displays), len(r.DisplaySizes)))
	for i := range items {
		if i < len(r.Displays) {
			d := r.Displays[i]
			items[i] = append(
				items[i],
				size("pixels", "", d.WidthPx, d.HeightPx, "pixels"),
				size(
					"millimetres",
					"",
					d.WidthMM,
					d.HeightMM,
					"mm",
				),
				named("technology", "", displayTechnologies, d.Technology),
			)
		}
		if i < len(r.DisplaySizes) {
			d := r.DisplaySizes[i]
			items[i] = append(items[i], size("centimetres", "rounded", d.WidthCM, d.HeightCM, "cm"))
		}
	}
	return list("displays", "Displays", items...)
}

func graphics(r hwhash.Report) Section {
	var facts []Fact
	if n := r.GPUName; n != nil {
		facts = append(facts, text("name", "Name", n.Name), text("vendor", "Vendor", n.Vendor))
	}
	if g := r.GPU; g != nil {
		facts = append(
			facts,
			number("videoMemoryMB", "Video memory", g.VideoMemory>>20, " MB"),
			number("systemMemoryMB", "System memory", g.SystemMemory>>20, " MB"),
		)
	}
	return one("gpu", "Graphics", facts...)
}

func others(r hwhash.Report) Section {
	var items []Item
	if !r.Text36.IsZero() {
		kind := number("type", "type", uint16(hwhash.TypeUnnamed36), "")
		items = append(items, Item{kind, secret("text", "text", r.Text36, strings.TrimSpace)})
	}
	for _, o := range r.Other {
		items = append(
			items,
			Item{
				number("type", "type", uint16(o.Type), ""),
				number("bytes", "", len(o.Value.Reveal()), " bytes"),
				secret("value", "value", o.Value, hexForm),
			},
		)
	}
	return list("other", "Records nobody has described", items...)
}

func text(key, label, value string) Fact {
	value = strings.TrimSpace(value)
	return Fact{Key: key, Label: label, Value: value, Text: value}
}

func secret(key, label string, value hwhash.Secret, form func(string) string) Fact {
	return Fact{Key: key, Label: label, secret: value, form: form}
}

func number[T int | uint8 | uint16 | uint64](key, label string, value T, unit string) Fact {
	return Fact{Key: key, Label: label, Value: value, Text: fmt.Sprint(value) + unit}
}

func yes(key, label string, value bool) Fact {
	return Fact{Key: key, Label: label, Value: value, Text: map[bool]string{true: "yes", false: "no"}[value]}
}

func instant(key, label string, t time.Time) Fact {
	return Fact{Key: key, Label: label, Value: t, Text: t.Format("2006-01-02 15:04:05 MST")}
}

func size(key, label string, width, height uint16, unit string) Fact {
	return Fact{
		Key:   key,
		Label: label,
		Value: [2]uint16{width, height},
		Text:  fmt.Sprintf("%d × %d %s", width, height, unit),
	}
}

func uuidForm(raw string) string {
	var uuid [16]byte
	if copy(uuid[:], raw) != len(uuid) {
		return hexForm(raw)
	}
	return hwhash.FormatUUID(uuid)
}

func hexForm(raw string) string { return hex.EncodeToString([]byte(raw)) }

func sha256Form(raw string) string {
	sum := sha256.Sum256([]byte(raw))
	return hex.EncodeToString(sum[:])
}
