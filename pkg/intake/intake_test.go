package intake_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/hwhash/hwhashtest"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/validate"
)

var received = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func TestClassify(t *testing.T) {
	t.Parallel()
	report, hash := hwhashtest.Synthetic(t, 3, nil)
	_, nameless := hwhashtest.Synthetic(t, 3, func(r *hwhash.Report) {
		r.RemoveTPM()
		r.UUID = hwhash.NewSecret(strings.Repeat("\xFF", 16))
		r.Serial = hwhash.NewSecret("Default string")
	})
	rules, err := validate.New()
	if err != nil {
		t.Fatal(err)
	}
	good := intake.Row{Number: 7, Hash: intake.NewRawHash([]byte(hash.Wire()))}
	with := func(change func(*intake.Row)) intake.Row {
		r := good
		change(&r)
		return r
	}
	kiosk := "KIOSK"
	for name, c := range map[string]struct {
		row   intake.Row
		terms intake.Terms
		want  fault.Code // "" for a candidate
		tag   string
	}{
		"as it should be":             {row: good},
		"the row's own tag":           {row: with(func(r *intake.Row) { r.GroupTag = kiosk }), terms: intake.Terms{GroupTag: "LAB"}, tag: kiosk},
		"the tag of the terms":        {row: good, terms: intake.Terms{GroupTag: "LAB"}, tag: "LAB"},
		"refused by the reader":       {row: intake.Row{Number: 7, Reject: &intake.Reject{Code: fault.RowMalformed}}, want: fault.RowMalformed},
		"another serial":              {row: with(func(r *intake.Row) { r.Serial = device.NewSerial("OTHER") }), want: fault.RowSerialMismatch},
		"a cut hash":                  {row: with(func(r *intake.Row) { r.Hash = intake.NewRawHash([]byte(hash.Wire()[:800])) }), want: fault.HashTruncated},
		"nothing that tells it apart": {row: with(func(r *intake.Row) { r.Hash = intake.NewRawHash([]byte(nameless.Wire())) }), want: fault.DeviceNoIdentity},
		"not of the tenant's makers":  {row: good, terms: intake.Terms{Tenant: tenant.Tenant{Policy: tenant.Policy{Manufacturers: []string{"Fabrikam*"}}}}, want: fault.RowManufacturerDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := intake.Classify(t.Context(), rules, c.terms, c.row, received)
			if got.Row != 7 {
				t.Errorf("row %d", got.Row)
			}
			if c.want != "" {
				if got.Reject == nil || got.Reject.Code != c.want || got.Canonical != nil || got.Key != "" {
					t.Errorf("%+v", got)
				}
				return
			}
			if got.Reject != nil || got.GroupTag != c.tag || got.Kind != device.KeyTPMEK || !got.Facts.TPM20 {
				t.Errorf("%+v", got)
			}
			if got.Capture.Serial.Reveal() != report.Serial.Reveal() ||
				string(got.Canonical) != string(hash.Canonical()) {
				t.Error("the capture is not that of the hash")
			}
		})
	}
}

func TestDecodeDevice(t *testing.T) {
	t.Parallel()
	row, err := intake.DecodeDevice(
		strings.NewReader(
			`{"hardwareHash":"T0","serialNumber":"S","productKeyId":"P","groupTag":"G","assignedUser":"U"}`,
		),
		1,
	)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{
		string(row.Hash.Reveal()),
		row.Serial.Reveal(),
		row.ProductKeyID.Reveal(),
		row.GroupTag,
		row.User,
		fmt.Sprint(row.Number),
	}
	if diff := cmp.Diff([]string{"T0", "S", "P", "G", "U", "1"}, got); diff != "" {
		t.Error(diff)
	}
	for _, body := range []string{"", "T0secret", `{"hardwareHash":["T0secret"]}`, `{"hardwarehsah":"T0secret"}`, `{} {"T0secret":1}`, `[]`} {
		_, err := intake.DecodeDevice(strings.NewReader(body), 1)
		if fault.CodeOf(err) != fault.RequestInvalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", body, err)
		}
	}
	late := fault.New(fault.RequestTooLarge, "")
	if _, err := intake.DecodeDevice(iotest.ErrReader(late), 1); !errors.Is(err, late) {
		t.Errorf("the reader's error became %v", err)
	}
}

func TestARawHashDoesNotPrint(t *testing.T) {
	t.Parallel()
	row := intake.Row{
		Hash:         intake.NewRawHash([]byte("T0secret")),
		Serial:       device.NewSerial("S-secret"),
		ProductKeyID: device.NewProductKeyID("P-secret"),
	}
	asJSON, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("row", "row", row, "hash", row.Hash)
	for _, text := range []string{
		fmt.Sprint(row), fmt.Sprintf("%+v %#v %s %x %d", row, row, row.Hash, row.Hash, row.Hash), string(asJSON),
		logged.String(), row.Hash.String(),
	} {
		if strings.Contains(text, "secret") || strings.Contains(text, fmt.Sprintf("%x", "secret")) ||
			strings.Contains(text, "115 101 99") {
			t.Errorf("%s", text)
		}
	}
}
