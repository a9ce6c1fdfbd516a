package device_test

import (
	"errors"
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
)

var (
	ekA, ekB     = [32]byte{0xA}, [32]byte{0xB}
	uuidA, uuidB = [16]byte{0xA}, [16]byte{0xB}
	uuidFF       = [16]byte(slices.Repeat([]byte{0xFF}, 16))
	// The firmware default 03000200-0400-0500-0006-000700080009.
	uuidShared = [16]byte{0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9}
)

func evidence(ek [32]byte, uuid [16]byte, manufacturer, product, serial string) device.Evidence {
	return device.Evidence{
		EKHash: ek, UUID: uuid, Manufacturer: manufacturer, Product: product, Serial: device.NewSerial(serial),
	}
}

func TestIdentify(t *testing.T) {
	none := [16]byte{}
	tests := map[string]struct {
		e    device.Evidence
		want device.EvidenceKind
	}{
		"all of it":          {evidence(ekA, uuidA, "HP", "Book", "S1"), device.EvidenceTPMEK},
		"key only":           {evidence(ekA, none, "", "", ""), device.EvidenceTPMEK},
		"no key":             {evidence([32]byte{}, uuidA, "HP", "Book", "S1"), device.EvidenceSMBIOSUUID},
		"UUID of FF":         {evidence([32]byte{}, uuidFF, "HP", "Book", "S1"), device.EvidenceSerial},
		"UUID of many":       {evidence([32]byte{}, uuidShared, "HP", "Book", "S1"), device.EvidenceSerial},
		"no UUID":            {evidence([32]byte{}, none, "HP", "", "S1"), device.EvidenceSerial},
		"no maker":           {evidence([32]byte{}, none, " ", "Book", "S1"), ""},
		"placeholder serial": {evidence([32]byte{}, uuidFF, "HP", "Book", "To be filled by O.E.M."), ""},
		"nothing":            {device.Evidence{}, ""},
	}
	form := regexp.MustCompile(`^(ek|uuid|sn)-[a-z2-7]{52}$`)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			key, kind, err := device.Identify(test.e)
			if kind != test.want {
				t.Errorf("kind = %q, want %q", kind, test.want)
			}
			if test.want == "" {
				if !errors.Is(err, device.ErrNoIdentity) || key != "" {
					t.Errorf("key %q, error %v, want ErrNoIdentity", key, err)
				}
				return
			}
			if err != nil || !form.MatchString(string(key)) {
				t.Errorf("key %q, error %v", key, err)
			}
		})
	}
}

// Keys stand in ledgers. They must never change.
func TestKeysAreStable(t *testing.T) {
	tests := map[device.Key]device.Evidence{
		"ek-d7yfolb22slm55kcqmtw56x3sbeqilyflgk7slvrcn3ejfz6c5fa":   evidence(ekA, uuidA, "HP", "Book", "S1"),
		"uuid-2sqzjuwatlstcegqvmueikxyi3mvpulpaqwxnqayzfoflpztlh3q": evidence([32]byte{}, uuidA, "HP", "Book", "S1"),
		"sn-nnuqnajajxnrrpg5dyqvuz2uks5cdgjfcssjy3o7limansgic3ha":   evidence([32]byte{}, uuidFF, "HP", "Book", "S1"),
	}
	for want, e := range tests {
		if got, _, err := device.Identify(e); err != nil || got != want {
			t.Errorf("key = %s (%v), want %s", got, err, want)
		}
	}
	if got, want := device.SerialKey("HP", device.NewSerial("S1")), "ms-nswu6ef3xcl6tlo5ogxjxy2ogcjrbzhsmpcqhwxaycuywfgy46sa"; got != want {
		t.Errorf("SerialKey = %s, want %s", got, want)
	}
}

func TestSerialKey(t *testing.T) {
	serial := device.NewSerial
	if device.SerialKey("HP", serial("5cg1")) != device.SerialKey(" hp ", serial(" 5CG1 ")) {
		t.Error("case and outer blanks must not matter")
	}
	keys := map[string]bool{}
	for _, pair := range [][2]string{{"HP", "5CG1"}, {"HP5", "CG1"}, {"H", "P5CG1"}, {"HP", "5CG 1"}, {"HP", "5CG-1"}, {"Dell", "5CG1"}} {
		keys[device.SerialKey(pair[0], serial(pair[1]))] = true
	}
	if len(keys) != 6 {
		t.Errorf("6 pairs have %d keys", len(keys))
	}
	for _, pair := range [][2]string{{"HP", "Default string"}, {"", "5CG1"}, {"HP", ""}} {
		if key := device.SerialKey(pair[0], serial(pair[1])); key != "" {
			t.Errorf("%v has the key %q", pair, key)
		}
	}
}

func TestFoldIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := device.NewSerial(rapid.String().Draw(t, "serial"))
		again := device.NewSerial(s.Fold())
		if again.Fold() != s.Fold() || !again.Same(s) {
			t.Fatalf("%q folds to %q", s.Fold(), again.Fold())
		}
	})
}
