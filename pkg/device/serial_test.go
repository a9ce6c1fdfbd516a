package device_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
)

// hidden wraps secrets in unexported fields, where fmt cannot call their methods.
type hidden struct {
	serial device.Serial
	pkid   device.ProductKeyID
}

func TestSecretsDoNotPrint(t *testing.T) {
	const secret = "5CG0000AAA"
	serial := device.NewSerial(secret)
	pkid := device.NewProductKeyID(secret)
	identifiers := device.Identifiers{Serial: serial, Product: secret}
	capture := device.Capture{Identifiers: identifiers}
	values := []any{
		serial, &serial, pkid, identifiers, &identifiers, capture,
		device.Known{Capture: capture},
		device.Device{Known: device.Known{Capture: capture}},
		map[device.Serial]int{serial: 1},
		hidden{serial, pkid},
		[]device.Serial{serial},
	}
	for _, v := range values {
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		printed := log.String()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			printed += fmt.Sprintf(verb, v)
		}
		if v, ok := v.(fmt.Stringer); ok {
			printed += v.String()
		}
		if v, ok := v.(fmt.GoStringer); ok {
			printed += v.GoString()
		}
		if v, ok := v.(encoding.TextMarshaler); ok {
			b, _ := v.MarshalText()
			printed += string(b)
		}
		if b, err := json.Marshal(v); err == nil {
			printed += string(b)
		}
		if strings.Contains(printed, secret) || strings.Contains(strings.ToLower(printed), fmt.Sprintf("%x", secret)) {
			t.Errorf("%T prints its secret: %s", v, printed)
		}
	}
}

func TestSerialComparison(t *testing.T) {
	a := device.NewSerial(" vmware-56 4D \r\n")
	b := device.NewSerial("VMware-56 4d")
	if a == b {
		t.Error("== must be exact")
	}
	if !a.Same(b) || a.Fold() != "vmware-56 4d" {
		t.Errorf("Same = %v, Fold = %q", a.Same(b), a.Fold())
	}
	if a.Same(device.NewSerial("VMware-564d")) {
		t.Error("inner blanks are part of a serial")
	}
	if !device.NewSerial("  ").IsZero() || (device.Serial{}).Reveal() != "" {
		t.Error("a blank serial is the zero Serial")
	}
	if same := device.NewSerial("vmware-56 4D"); a != same || !a.Equal(same) || a.Equal(b) {
		t.Error("equal content must be equal under ==")
	}
}

func TestProductKeyID(t *testing.T) {
	a := device.NewProductKeyID(" 3300000000000 ")
	b := device.NewProductKeyID("3300000000000")
	if a != b || !a.Equal(b) || a.Reveal() != "3300000000000" || a.Equal(device.ProductKeyID{}) {
		t.Error("outer blanks must not matter, content must")
	}
}

func TestPlaceholder(t *testing.T) {
	tests := map[string]hwhash.Placeholder{
		"": hwhash.Listed, " To be filled by O.E.M. ": hwhash.Listed,
		"22222222": hwhash.Suspected, "5CG0000AAA": hwhash.NoPlaceholder,
	}
	for serial, want := range tests {
		if got := device.NewSerial(serial).Placeholder(); got != want {
			t.Errorf("%q: %v, want %v", serial, got, want)
		}
	}
}
