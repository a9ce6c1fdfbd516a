package inventory

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"taxiway.example/pkg/hwhash"
)

// hardwareReport is the report that oa3tool writes for /DecodeHwHash. Source: Microsoft, "OA 3.0 Tool: command-line and
// config file syntax" names the options; the shape is known from its output only.
type hardwareReport struct {
	XMLName    xml.Name   `xml:"HardwareReport"`
	Properties []property `xml:"HardwareInventory>p"`
}

type property struct {
	Name  string `xml:"n,attr"`
	Value string `xml:"v,attr"`
}

// inventoryVersion is what oa3tool writes for every hash seen.
const inventoryVersion = "131"

// WriteXML writes a report in the shape and with the names of oa3tool. What the hash does not say is left out.
func WriteXML(w io.Writer, r hwhash.Report, reveal bool) error {
	doc := hardwareReport{}
	add := func(name, value string) {
		if value = strings.TrimSpace(value); value != "" {
			doc.Properties = append(doc.Properties, property{name, value})
		}
	}
	addSecret := func(name string, s hwhash.Secret, form func(string) string) {
		add(name, secret("", "", s, form).Show(reveal))
	}
	addTool(add, r.Tool)
	addProcessor(add, r)
	addMemory(add, r.Memory)
	add("SmbiosFirmwareVendor", r.FirmwareVendor)
	add("SmbiosSystemManufacturer", r.Manufacturer)
	add("SmbiosSystemProductName", r.Product)
	addSecret("SmbiosSystemSerialNumber", r.Serial, strings.TrimSpace)
	addSecret("SmbiosUuid", r.UUID, uuidForm)
	add("SmbiosSkuNumber", r.SKU)
	add("SmbiosSystemFamily", r.Family)
	add("SmbiosBoardProduct", r.BoardProduct)
	for _, d := range r.DiskNames {
		addSecret("DiskSerialNumber", d.Serial, strings.TrimSpace)
	}
	for _, a := range r.Adapters {
		addSecret("MacAddress", a.MAC, hwhash.FormatMAC)
	}
	add("TPMVersion", r.TPM)
	addSecret("ProductKeyID", r.ProductKeyID, strings.TrimSpace)
	return encode(w, doc)
}

func addTool(add func(string, string), t *hwhash.Tool) {
	if t == nil {
		return
	}
	add("ToolVersion", strconv.Itoa(int(t.ToolVersion)))
	add("HardwareInventoryVersion", inventoryVersion)
	add("ToolBuild", t.Build.String())
	osType, ok := map[hwhash.OSType]string{hwhash.WinPE: "WinPE", hwhash.FullOS: "FullOS"}[t.OSType]
	if !ok {
		osType = strconv.Itoa(int(t.OSType))
	}
	add("OSType", osType)
	add("OsCpuArchitecture", named("", "", architectures, hwhash.Architecture(t.Architecture)).Text)
	add("OsBuild", t.OSBuild.String())
	add("OsSystemTime", t.CapturedAt.Format(time.RFC3339))
	if offset, known := t.Zone(); known {
		add(
			"OsLocalTime",
			t.CapturedAt.In(time.FixedZone("", int(offset.Seconds()))).Format("2006-01-02T15:04:05-07:00"),
		)
	}
}

func addProcessor(add func(string, string), r hwhash.Report) {
	add("ProcessorModel", r.CPUName)
	if c := r.CPU; c != nil {
		add("ProcessorPackages", fmt.Sprint(c.Packages))
		add("ProcessorThreads", fmt.Sprint(c.Threads))
		add("ProcessorCores", fmt.Sprint(c.Cores))
		add("ProcessorHyperThreading", strconv.FormatBool(c.HyperThreading != 0))
	}
}

func addMemory(add func(string, string), m *hwhash.Memory) {
	if m == nil {
		return
	}
	add("SmbiosRamArrayCount", fmt.Sprint(m.Arrays))
	add("SmbiosRamSlots", fmt.Sprint(m.Slots))
	add("SmbiosRamErrorCorrection", fmt.Sprint(m.ErrorCorrection))
	add("SmbiosRamMaximumCapacity", fmt.Sprint(m.MaximumGB))
	add("TotalPhysicalRAM", fmt.Sprint(m.InstalledGB))
}

func encode(w io.Writer, doc hardwareReport) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
