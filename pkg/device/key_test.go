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
	uuidA, uuidB = uuid(0xA), uuid(0xB)
	uuidFF       = [16]byte(slices.Repeat([]byte{0xFF}, 16))
	// The firmware default 03000200-0400-0500-0006-000700080009.
	uuidShared = [16]byte{0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9}
)

// uuid returns a UUID as boards have them.
func uuid(n byte) [16]byte {
	return [16]byte{n, 0x1C, 0x44, 0x45, 0x30, 0x51, 0x4A, 0x35, 0x80, 0x39, 0xB2, 0xC0, 0x4F, 0x57, 0x32, n}
}

func identifiers(ek [32]byte, uuid [16]byte, manufacturer, product, serial string) device.Identifiers {
	return device.Identifiers{
		EKHash: ek, UUID: uuid, Manufacturer: manufacturer, Product: product, Serial: device.NewSerial(serial),
	}
}

func TestIdentify(t *testing.T) {
	none := [16]byte{}
	tests := map[string]struct {
		e    device.Identifiers
		want device.KeyKind
	}{
		"all of it":          {identifiers(ekA, uuidA, "HP", "Book", "S1"), device.KeyTPMEK},
		"key only":           {identifiers(ekA, none, "", "", ""), device.KeyTPMEK},
		"no key":             {identifiers([32]byte{}, uuidA, "HP", "Book", "S1"), device.KeySMBIOSUUID},
		"UUID of FF":         {identifiers([32]byte{}, uuidFF, "HP", "Book", "S1"), device.KeySerial},
		"UUID of many":       {identifiers([32]byte{}, uuidShared, "HP", "Book", "S1"), device.KeySerial},
		"no UUID":            {identifiers([32]byte{}, none, "HP", "", "S1"), device.KeySerial},
		"no maker":           {identifiers([32]byte{}, none, " ", "Book", "S1"), ""},
		"placeholder serial": {identifiers([32]byte{}, uuidFF, "HP", "Book", "To be filled by O.E.M."), ""},
		"suspected serial":   {identifiers([32]byte{}, uuidFF, "HP", "Book", "11111111"), device.KeySuspected},
		"UUID, no serial":    {identifiers([32]byte{}, uuidA, "HP", "Book", "None"), device.KeySMBIOSUUID},
		"nothing":            {device.Identifiers{}, ""},
	}
	form := regexp.MustCompile(`^(ek|uuid|sn|sus)-[a-z2-7]{52}$`)
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
	tests := map[device.Key]device.Identifiers{
		"ek-d7yfolb22slm55kcqmtw56x3sbeqilyflgk7slvrcn3ejfz6c5fa":   identifiers(ekA, uuidA, "HP", "Book", "S1"),
		"uuid-gcfhogytzlzd6mdzoqzoi2len6remwztlkjhru6vafmkda6ljqgq": identifiers([32]byte{}, uuidA, "HP", "Book", "S1"),
		"sn-nnuqnajajxnrrpg5dyqvuz2uks5cdgjfcssjy3o7limansgic3ha": identifiers(
			[32]byte{},
			uuidFF,
			"HP",
			"Book",
			"S1",
		),
	}
	for want, e := range tests {
		if got, _, err := device.Identify(e); err != nil || got != want {
			t.Errorf("key = %s (%v), want %s", got, err, want)
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
