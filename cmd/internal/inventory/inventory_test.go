package inventory_test

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/cmd/internal/inventory"
	"taxiway.example/pkg/hwhash"
)

// secrets are the texts that tell r from another device.
func secrets(r hwhash.Report) []string {
	var uuid [16]byte
	copy(uuid[:], r.UUID.Reveal())
	out := []string{
		r.Serial.Reveal(),
		r.ProductKeyID.Reveal(),
		hwhash.FormatUUID(uuid),
		hex.EncodeToString([]byte(r.OfflineID.ID.Reveal())),
	}
	for _, a := range r.Adapters {
		out = append(out, hwhash.FormatMAC(a.MAC.Reveal()))
	}
	for _, d := range r.DiskNames {
		out = append(out, d.Serial.Reveal())
	}
	return out
}

// written is everything that can be made of a report, in one text.
func written(t *testing.T, r hwhash.Report, reveal bool) string {
	t.Helper()
	var b strings.Builder
	v := inventory.Of(r)
	if err := v.WriteCard(&b, reveal); err != nil {
		t.Fatal(err)
	}
	if err := inventory.WriteXML(&b, r, reveal); err != nil {
		t.Fatal(err)
	}
	for _, encoded := range []any{v.JSON(reveal), inventory.Diff(v, nil, reveal), inventory.Diff(nil, v, reveal)} {
		if err := json.NewEncoder(&b).Encode(encoded); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestSecretsAreShownOnlyOnDemand(t *testing.T) {
	t.Parallel()
	for seed := range uint64(9) {
		r := hwhash.Synthetic(seed)
		r.Other = []hwhash.Record{{Type: 99, Value: hwhash.NewSecret("\xde\xad\xbe\xef")}}
		r.Text36 = hwhash.NewSecret("TEXT-36")
		masked := written(t, r, false)
		revealed := written(t, r, true)
		for _, secret := range append(secrets(r), "deadbeef", "TEXT-36") {
			if strings.Contains(strings.ToLower(masked), strings.ToLower(secret)) {
				t.Errorf("seed %d: %q is not masked", seed, secret)
			}
			if !strings.Contains(revealed, secret) {
				t.Errorf("seed %d: %q is not revealed", seed, secret)
			}
		}
	}
}

func TestAnEmptyReportHasNoSections(t *testing.T) {
	t.Parallel()
	if v := inventory.Of(hwhash.Report{}); len(v) != 0 {
		t.Errorf("%v", v)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	base := hwhash.Synthetic(3)
	change := func(f func(*hwhash.Report)) inventory.Inventory {
		r := hwhash.Synthetic(3)
		f(&r)
		return inventory.Of(r)
	}
	cases := []struct {
		name string
		b    inventory.Inventory
		want []inventory.Change
	}{
		{"nothing", change(func(*hwhash.Report) {}), nil},
		{
			"a text", change(func(r *hwhash.Report) { r.SKU = "other" }),
			[]inventory.Change{
				{Section: "system", Fact: "sku", A: base.SKU, B: "other", Title: "System", Label: "SKU"},
			},
		},
		{
			"a secret", change(func(r *hwhash.Report) { r.Serial = hwhash.NewSecret("other") }),
			[]inventory.Change{
				{
					Section: "system",
					Fact:    "serial",
					A:       hwhash.Mask,
					B:       hwhash.Mask,
					Secret:  true,
					Title:   "System",
					Label:   "Serial",
				},
			},
		},
		{
			"a fact that is gone", change(func(r *hwhash.Report) { r.Family = "" }),
			[]inventory.Change{{Section: "system", Fact: "family", A: base.Family, Title: "System", Label: "Family"}},
		},
		{
			"a section that is gone", change(func(r *hwhash.Report) {
				r.GPU = nil
				r.GPUName = &hwhash.GPUName{Name: base.GPUName.Name}
			}),
			[]inventory.Change{
				{Section: "gpu", Fact: "vendor", A: base.GPUName.Vendor, Title: "Graphics", Label: "Vendor"},
				{Section: "gpu", Fact: "videoMemoryMB", A: "128 MB", Title: "Graphics", Label: "Video memory"},
				{Section: "gpu", Fact: "systemMemoryMB", A: "0 MB", Title: "Graphics", Label: "System memory"},
			},
		},
		{
			"adapters in another order, one of them twice", change(func(r *hwhash.Report) {
				r.Adapters = []hwhash.Adapter{r.Adapters[1], r.Adapters[0], r.Adapters[1]}
			}),
			[]inventory.Change{
				{
					Section: "adapters",
					B:       "native 802.11, on PCI, MAC [redacted]",
					Secret:  true,
					Title:   "Network adapters",
				},
			},
		},
		{
			"a second display", change(func(r *hwhash.Report) {
				r.Displays = append(
					r.Displays,
					hwhash.Display{WidthMM: 597, HeightMM: 336, WidthPx: 2560, HeightPx: 1440, Technology: 10},
				)
				r.DisplaySizes = append(r.DisplaySizes, hwhash.DisplaySize{WidthCM: 60, HeightCM: 34})
			}),
			[]inventory.Change{
				{
					Section: "displays",
					B:       "2560 × 1440 pixels, 597 × 336 mm, DisplayPort, rounded 60 × 34 cm",
					Title:   "Displays",
				},
			},
		},
		{
			"no disks", change(func(r *hwhash.Report) {
				r.Disks = nil
				r.DiskNames = nil
				r.KernelDiskNames = nil
			}),
			[]inventory.Change{
				{
					Section: "disks",
					A:       "SYN-DISK 512, serial [redacted], 512 GB, NVMe, seek penalty no, TRIM yes",
					Secret:  true,
					Title:   "Disks",
				},
			},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, inventory.Diff(inventory.Of(base), c.b, false)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A capture in WinPE says nothing about the TPM; a card must not look as if the device had none.
func TestACardNamesWinPE(t *testing.T) {
	t.Parallel()
	const unread = "captured in WinPE, which cannot read the TPM"
	captures := map[string]struct {
		change func(*hwhash.Report)
		unread bool
	}{
		"in the full OS":                 {func(*hwhash.Report) {}, false},
		"in the full OS, without TPM":    {(*hwhash.Report).RemoveTPM, false},
		"in WinPE":                       {(*hwhash.Report).CaptureInWinPE, true},
		"in WinPE with the TPM provider": {func(r *hwhash.Report) { r.Tool.OSType = hwhash.WinPE }, false},
	}
	for name, c := range captures {
		r := hwhash.Synthetic(3)
		c.change(&r)
		if text := written(t, r, false); strings.Contains(text, unread) != c.unread {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

// Firmware texts reach the terminal without their control characters.
func TestACardDoesNotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	r := hwhash.Synthetic(1)
	r.Product = "Book\x1b[2J\x07\r\n\u009b13"
	var b strings.Builder
	if err := inventory.Of(r).WriteCard(&b, false); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\x07\r\u009b") {
		t.Errorf("%q", b.String())
	}
}
