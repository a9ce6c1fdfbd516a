package validate_test

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/validate"
)

// A wrong tag panics when a struct is first looked at, so every struct with tags is looked at here.
func TestTagsAreKnown(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	row := reflect.TypeFor[validate.Row]()
	tagged := 0
	for i := range row.NumField() {
		if tag := row.Field(i).Tag.Get("validate"); tag != "" && tag != "-" {
			tagged++
		}
	}
	if tagged < 3 {
		t.Fatalf("only %d fields carry a tag", tagged)
	}
	if result := v.Check(t.Context(), tenant.Policy{}, rowOf(t, 1, nil)); !result.OK() {
		t.Errorf("%+v", result.Violations)
	}
}

func TestEveryHashCodeIsInTheCatalogue(t *testing.T) {
	t.Parallel()
	for _, code := range []hwhash.Code{
		hwhash.CodeEmpty, hwhash.CodeTooLarge, hwhash.CodeNotBase64, hwhash.CodeNoMagic, hwhash.CodeTruncated,
		hwhash.CodeChecksumMissing,
		hwhash.CodeChecksumMismatch, hwhash.CodeTrailingData, hwhash.CodeBadRecord, hwhash.CodeEKMismatch,
	} {
		got, _ := validate.OfHash(&hwhash.Error{Code: code})
		if want := "hash." + fault.Code(code); got != want && code != hwhash.CodeEmpty {
			t.Errorf("%s became %s", code, got)
		}
	}
	n := 0
	for w := range hwhash.Warnings(math.MaxUint16).All() {
		if _, ok := fault.Lookup("hash." + fault.Code(w.String())); !ok {
			t.Errorf("hash.%s is not in the catalogue", w)
		}
		n++
	}
	if n < 10 {
		t.Errorf("only %d warnings", n)
	}
}

// Whatever a spreadsheet makes of a serial of digits is recognised; the device keeps the serial of its hash.
func TestSpreadsheetDamageIsRecognised(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	rapid.Check(t, func(rt *rapid.T) {
		whole := rapid.StringMatching(`0{0,4}[1-9][0-9]{3,17}`).Draw(rt, "serial")
		number, err := strconv.ParseFloat(whole, 64)
		if err != nil {
			rt.Fatal(err)
		}
		decimals := rapid.IntRange(0, 5).Draw(rt, "decimals")
		damaged := rapid.SampledFrom([]string{
			strconv.FormatFloat(number, 'E', decimals, 64),
			strings.Replace(strconv.FormatFloat(number, 'E', decimals, 64), ".", ",", 1),
			strings.TrimLeft(whole, "0"),
			whole,
		}).Draw(rt, "damaged")
		r := rowOf(t, 3, serial(whole))
		r.Serial = device.NewSerial(damaged)
		result := v.Check(t.Context(), tenant.Policy{}, r)
		if !result.OK() {
			rt.Fatalf("%s for %s: %v", damaged, whole, codes(result))
		}
		if undamaged := damaged == whole; undamaged != (len(result.Warnings) == 0) {
			rt.Fatalf("%s for %s: warnings %v", damaged, whole, result.Warnings)
		}
	})
}

// Two different serials of letters never pass for one another.
func TestAlphabeticSerialsMustAgree(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringMatching(`[A-Z][A-Za-z0-9-]{3,12}`)
		a := word.Draw(rt, "hash")
		b := word.Draw(rt, "row")
		r := rowOf(t, 3, serial(a))
		r.Serial = device.NewSerial(b)
		if same := strings.EqualFold(a, b); same != v.Check(t.Context(), tenant.Policy{}, r).OK() {
			rt.Fatalf("%q and %q: same %v", a, b, same)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	v := newValidator(b)
	r := rowOf(b, 1, nil)
	r.GroupTag = "Kiosk"
	r.User = "ada@contoso.com"
	p := tenant.Policy{UserDomains: []string{"contoso.com"}, Manufacturers: []string{"fabrikam*"}}
	b.ReportAllocs()
	for b.Loop() {
		if result := v.Check(b.Context(), p, r); !result.OK() {
			b.Fatal(result)
		}
	}
}
