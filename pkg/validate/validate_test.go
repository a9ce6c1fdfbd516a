package validate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/validate"
)

var received = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func newValidator(tb testing.TB) *validate.Validator {
	tb.Helper()
	v, err := validate.New()
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

// rowOf returns a faultless row for a made-up device, after change has had its way with the device.
func rowOf(tb testing.TB, seed uint64, change func(*hwhash.Report)) validate.Row {
	tb.Helper()
	report := hwhash.Synthetic(seed)
	if change != nil {
		change(&report)
	}
	h, err := hwhash.Encode(report)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := hwhash.Summarize(h)
	if err != nil {
		tb.Fatal(err)
	}
	return validate.Row{Serial: device.NewSerial(s.RevealSerial()), Received: received, Hash: s}
}

func codes(v validate.Result) []fault.Code {
	var list []fault.Code
	for _, violation := range v.Violations {
		list = append(list, violation.Code)
	}
	return append(list, v.Warnings...)
}

func serial(s string) func(*hwhash.Report) {
	return func(r *hwhash.Report) { r.Serial = hwhash.NewSecret(s) }
}

func TestRows(t *testing.T) {
	t.Parallel()
	type row = validate.Row
	cases := []struct {
		name   string
		device func(*hwhash.Report)
		row    func(*row)
		policy tenant.Policy
		want   []fault.Code
	}{
		{name: "a faultless row"},
		{name: "no serial in the row", row: func(r *row) { r.Serial = device.Serial{} }},
		{name: "case and outer blanks are noise", device: serial("abC-1 x"), row: func(r *row) { r.Serial = device.NewSerial("  ABc-1 X ") }},
		{name: "a dash is not noise", device: serial("ABC-1"), row: func(r *row) { r.Serial = device.NewSerial("ABC1") }, want: []fault.Code{fault.RowSerialMismatch}},
		{name: "an inner blank is not noise", device: serial("VMware-56 4d"), row: func(r *row) { r.Serial = device.NewSerial("VMware-564d") }, want: []fault.Code{fault.RowSerialMismatch}},
		{name: "another device's serial", row: func(r *row) { r.Serial = device.NewSerial("5CD0000BBB") }, want: []fault.Code{fault.RowSerialMismatch}},
		{name: "exponent form", device: serial("001230000000456"), row: func(r *row) { r.Serial = device.NewSerial("1.23E+12") }, want: []fault.Code{fault.RowSerialExponent}},
		{name: "exponent form with a decimal comma", device: serial("1230000000456"), row: func(r *row) { r.Serial = device.NewSerial("1,23E+12") }, want: []fault.Code{fault.RowSerialExponent}},
		{name: "a serial that itself looks like an exponent", device: serial("1234E5"), row: func(r *row) { r.Serial = device.NewSerial("1.23E+08") }, want: []fault.Code{fault.RowSerialExponent}},
		{name: "exponent form of another number", device: serial("001240000000456"), row: func(r *row) { r.Serial = device.NewSerial("1.23E+12") }, want: []fault.Code{fault.RowSerialMismatch}},
		{name: "exponent form beside letters", device: serial("CNT00123"), row: func(r *row) { r.Serial = device.NewSerial("1.23E+02") }, want: []fault.Code{fault.RowSerialMismatch}},
		{name: "lost leading zeros", device: serial("001230000000456"), row: func(r *row) { r.Serial = device.NewSerial("1230000000456") }, want: []fault.Code{fault.RowSerialZeros}},
		{name: "zeros lost at the other end", device: serial("1230"), row: func(r *row) { r.Serial = device.NewSerial("123") }, want: []fault.Code{fault.RowSerialMismatch}},
		{name: "digits past the fifteenth", device: serial("41345678901234567"), row: func(r *row) { r.Serial = device.NewSerial("41345678901234500") }, want: []fault.Code{fault.RowSerialDigits}},
		{name: "a real serial over firmware placeholder", device: serial("Default string"), row: func(r *row) { r.Serial = device.NewSerial("5CG1") }, want: []fault.Code{fault.RowSerialMismatch, fault.HashPlaceholderSerial}},
		{name: "firmware placeholder in both", device: serial("To be filled by O.E.M."), want: []fault.Code{fault.HashPlaceholderSerial}},
		{name: "the hash has no serial", device: serial(""), row: func(r *row) { r.Serial = device.NewSerial("5CG1") }, want: []fault.Code{fault.HashEmptySerial}},
		{name: "the hash has no manufacturer", device: func(r *hwhash.Report) { r.Manufacturer = "" }, want: []fault.Code{fault.HashEmptyManufacturer}},
		{name: "a product key id", row: func(r *row) { r.ProductKeyID = device.NewProductKeyID("3305321234567") }},
		{name: "a short product key id", row: func(r *row) { r.ProductKeyID = device.NewProductKeyID("330532123456") }, want: []fault.Code{fault.RowProductKeyInvalid}},
		{name: "a Windows product id", row: func(r *row) { r.ProductKeyID = device.NewProductKeyID("00330-80000-00000-AA123") }, want: []fault.Code{fault.RowProductKeyInvalid}},
		{name: "a product key id in exponent form", row: func(r *row) { r.ProductKeyID = device.NewProductKeyID("3.30532E+12") }, want: []fault.Code{fault.RowProductKeyDropped}},
		{name: "a group tag", row: func(r *row) { r.GroupTag = "Kiosk Lobby-2" }},
		{name: "a comma in the group tag", row: func(r *row) { r.GroupTag = "A,B" }, want: []fault.Code{fault.RowGroupTagInvalid}},
		{name: "a quotation mark in the group tag", row: func(r *row) { r.GroupTag = `A"B` }, want: []fault.Code{fault.RowGroupTagInvalid}},
		{name: "a control character in the group tag", row: func(r *row) { r.GroupTag = "A\tB" }, want: []fault.Code{fault.RowGroupTagInvalid}},
		{name: "an outer blank in the group tag", row: func(r *row) { r.GroupTag = " A" }, want: []fault.Code{fault.RowGroupTagInvalid}},
		{name: "64 characters of group tag", row: func(r *row) { r.GroupTag = strings.Repeat("ä", 64) }},
		{name: "65 characters of group tag", row: func(r *row) { r.GroupTag = strings.Repeat("ä", 65) }, want: []fault.Code{fault.RowGroupTagInvalid}},
		{name: "the tenant's own limit", row: func(r *row) { r.GroupTag = "12345" }, policy: tenant.Policy{MaxGroupTag: 4}, want: []fault.Code{fault.RowGroupTagInvalid}},
		{name: "a tag of the source", row: func(r *row) {
			r.GroupTag = "de-office"
			r.Source = "oem-a"
		}, policy: ofSource("oem-*", "DE-*")},
		{name: "a tag of another source", row: func(r *row) {
			r.GroupTag = "FR-office"
			r.Source = "oem-a"
		}, policy: ofSource("oem-*", "DE-*"), want: []fault.Code{fault.RowTagDenied}},
		{name: "another source's limits", row: func(r *row) {
			r.GroupTag = "FR-office"
			r.Source = "vendor"
		}, policy: ofSource("oem-*", "DE-*")},
		{name: "no tag of its own", row: func(r *row) { r.Source = "oem-a" }, policy: ofSource("oem-*", "DE-*")},
		{name: "a user", row: func(r *row) { r.User = "ada.lovelace@contoso.com" }},
		{name: "a guest", row: func(r *row) { r.User = "ada_fabrikam.com#EXT#@contoso.onmicrosoft.com" }},
		{name: "a user without domain", row: func(r *row) { r.User = "ada" }, want: []fault.Code{fault.RowUserInvalid}},
		{name: "a domain without dot", row: func(r *row) { r.User = "ada@contoso" }, want: []fault.Code{fault.RowUserInvalid}},
		{name: "a blank in the user", row: func(r *row) { r.User = "ada l@contoso.com" }, want: []fault.Code{fault.RowUserInvalid}},
		{name: "two at signs", row: func(r *row) { r.User = "ada@x@contoso.com" }, want: []fault.Code{fault.RowUserDomainDenied, fault.RowUserInvalid}, policy: tenant.Policy{UserDomains: []string{"contoso.com"}}},
		{name: "an allowed domain", row: func(r *row) { r.User = "ada@Contoso.COM" }, policy: tenant.Policy{UserDomains: []string{"fabrikam.com", "contoso.com"}}},
		{name: "a sub domain is another domain", row: func(r *row) { r.User = "ada@eu.contoso.com" }, policy: tenant.Policy{UserDomains: []string{"contoso.com"}}, want: []fault.Code{fault.RowUserDomainDenied}},
		{name: "an allowed maker and model", policy: tenant.Policy{Manufacturers: []string{"fabrikam*"}, Models: []string{"*station*"}}},
		{name: "another maker", policy: tenant.Policy{Manufacturers: []string{"Contoso"}}, want: []fault.Code{fault.RowManufacturerDenied}},
		{name: "another model", policy: tenant.Policy{Models: []string{"Contoso *"}}, want: []fault.Code{fault.RowModelDenied}},
		{name: "the row's own maker does not help", row: func(r *row) { r.Manufacturer = "Contoso" }, policy: tenant.Policy{Manufacturers: []string{"Contoso"}}, want: []fault.Code{fault.RowManufacturerDenied, fault.RowManufacturerDiffers}},
		{name: "maker and model beside the hash", row: func(r *row) {
			r.Manufacturer = "FABRIKAM, Inc. "
			r.Model = "Fabrikam Station 900"
		}},
		{name: "another model beside the hash", row: func(r *row) { r.Model = "Station" }, want: []fault.Code{fault.RowModelDiffers}},
		{name: "a tag that attests", row: func(r *row) { r.Tag = "Kiosk" }, policy: tenant.Policy{TPMTags: []string{"kiosk"}}},
		{name: "a tag that attests, no TPM", device: (*hwhash.Report).RemoveTPM, row: func(r *row) { r.Tag = "Kiosk" }, policy: tenant.Policy{TPMTags: []string{"kiosk"}}, want: []fault.Code{fault.RowTPMRequired, fault.HashNoTPM}},
		{name: "a tag that attests, captured in WinPE", device: (*hwhash.Report).CaptureInWinPE, row: func(r *row) { r.Tag = "Kiosk" }, policy: tenant.Policy{TPMTags: []string{"kiosk"}}, want: []fault.Code{fault.RowTPMRequired, fault.HashWinPECapture}},
		{name: "another tag, captured in WinPE", device: (*hwhash.Report).CaptureInWinPE, row: func(r *row) { r.Tag = "Office" }, policy: tenant.Policy{TPMTags: []string{"kiosk"}}, want: []fault.Code{fault.HashWinPECapture}},
		{name: "a tag that attests, an old TPM", device: oldTPM, row: func(r *row) { r.Tag = "Kiosk" }, policy: tenant.Policy{TPMTags: []string{"kiosk"}}, want: []fault.Code{fault.RowTPMRequired, fault.HashOldTPM}},
		{name: "another tag, no TPM", device: (*hwhash.Report).RemoveTPM, row: func(r *row) { r.Tag = "Office" }, policy: tenant.Policy{TPMTags: []string{"kiosk"}}, want: []fault.Code{fault.HashNoTPM}},
		{name: "a virtual machine", device: virtual, want: []fault.Code{fault.HashVirtualMachine}},
		{name: "a virtual machine refused", device: virtual, policy: tenant.Policy{AllowVirtualMachine: new(false)}, want: []fault.Code{fault.RowVirtualMachine, fault.HashVirtualMachine}},
		{name: "captured tomorrow", row: func(r *row) { r.Received = r.Hash.CapturedAt.AddDate(0, 0, -3) }, want: []fault.Code{fault.HashFutureCapture}},
		{name: "several at once", row: func(r *row) {
			r.Serial = device.NewSerial("other")
			r.GroupTag = "a,b"
			r.User = "nobody"
			r.ProductKeyID = device.NewProductKeyID("1")
		}, want: []fault.Code{
			fault.RowSerialMismatch, fault.RowProductKeyInvalid, fault.RowGroupTagInvalid,
			fault.RowUserInvalid,
		}},
	}
	v := newValidator(t)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := rowOf(t, 1, tc.device)
			if tc.row != nil {
				tc.row(&r)
			}
			result := v.Check(t.Context(), tc.policy, r)
			if diff := cmp.Diff(tc.want, codes(result)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
			for _, violation := range result.Violations {
				if violation.Rule == "" || violation.Column == "" || !strings.HasSuffix(violation.Detail, ".") {
					t.Errorf("incomplete: %+v", violation)
				}
			}
		})
	}
}

func ofSource(source string, tags ...string) tenant.Policy {
	return tenant.Policy{SourceTags: []tenant.SourceTags{{Source: source, Tags: tags}}}
}

func oldTPM(r *hwhash.Report) { r.TPM = hwhash.TPM{Version: "1.2", Level: "2"}.String() }

func virtual(r *hwhash.Report) {
	r.Manufacturer = "Microsoft Corporation"
	r.Product = "Virtual Machine"
}

func TestRowsWithoutHash(t *testing.T) {
	t.Parallel()
	whole, err := hwhash.Encode(hwhash.Synthetic(2))
	if err != nil {
		t.Fatal(err)
	}
	wire := whole.Wire()
	cases := []struct {
		name, text string
		row        validate.Row
		want       []fault.Code
	}{
		{name: "nothing", want: []fault.Code{fault.RowHashMissing}},
		{name: "a partner's tuple", row: validate.Row{Serial: device.NewSerial("5CG1"), Manufacturer: "HP", Model: "EliteBook"}, want: []fault.Code{fault.RowTupleNotAccepted}},
		{name: "a product key id alone", row: validate.Row{ProductKeyID: device.NewProductKeyID("3305321234567")}, want: []fault.Code{fault.RowHashMissing}},
		{name: "cut", text: wire[:800], want: []fault.Code{fault.HashTruncated}},
		{name: "not base64", text: "T0?" + wire[3:], want: []fault.Code{fault.HashNotBase64}},
		{name: "another value", text: "Q09OVE9TTw==", want: []fault.Code{fault.HashNoMagic}},
		{name: "edited", text: wire[:600] + "AAAA" + wire[604:], want: []fault.Code{fault.HashChecksumMismatch}},
		{name: "other cells are checked all the same", text: wire[:800], row: validate.Row{User: "ada"}, want: []fault.Code{fault.HashTruncated, fault.RowUserInvalid}},
	}
	v := newValidator(t)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, tc.row.HashErr = hwhash.Parse(tc.text)
			if tc.row.HashErr == nil {
				t.Fatal("the text is a hash")
			}
			if diff := cmp.Diff(tc.want, codes(v.Check(t.Context(), tenant.Policy{}, tc.row))); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDamagedProductKeyIsLeftOut(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	r := rowOf(t, 1, nil)
	for id, want := range map[string]string{"3.30532E+12": "", "3305321234567": "3305321234567", "": ""} {
		r.ProductKeyID = device.NewProductKeyID(id)
		if got := v.Check(t.Context(), tenant.Policy{}, r).ProductKeyID.Reveal(); got != want {
			t.Errorf("%q became %q", id, got)
		}
	}
}

// Results go to logs, answers and reports: they must not carry what the cells hold.
func TestResultsHoldNoValue(t *testing.T) {
	t.Parallel()
	const marker = "ZQX"
	r := rowOf(t, 1, nil)
	r.Serial = device.NewSerial(marker)
	r.ProductKeyID = device.NewProductKeyID(marker)
	r.GroupTag = marker + ","
	r.User = marker
	r.Manufacturer = marker
	r.Model = marker
	r.Source = "oem"
	p := ofSource("oem", "none")
	p.MaxGroupTag = 2
	result := newValidator(t).Check(t.Context(), p, r)
	if len(result.Violations) < 5 {
		t.Fatalf("only %d violations", len(result.Violations))
	}
	if text := fmt.Sprintf("%+v %v %v", result, r.Serial, r.ProductKeyID); strings.Contains(text, marker) {
		t.Errorf("a value shows: %s", text)
	}
}

// A group tag that is too long is answered with the setting that says so: Microsoft documents no limit.
func TestTagLengthNamesItsSetting(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	for limit, policy := range map[string]tenant.Policy{"64": {}, "4": {MaxGroupTag: 4}} {
		r := rowOf(t, 1, nil)
		r.GroupTag = strings.Repeat("x", 65)
		violations := v.Check(t.Context(), policy, r).Violations
		if len(violations) != 1 || !strings.Contains(violations[0].Detail, "the "+limit+" characters") ||
			!strings.Contains(violations[0].Detail, "policy.maxGroupTag") {
			t.Errorf("limit %s: %+v", limit, violations)
		}
	}
}
