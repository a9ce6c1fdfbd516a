package device_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
)

func TestRelate(t *testing.T) {
	var noEK [32]byte
	var noUUID [16]byte
	known := identifiers(ekA, uuidA, "HP", "EliteBook", "5CG1")
	type fields = []device.Field
	tests := map[string]struct {
		known, incoming device.Identifiers
		want            device.Relation
		differ          fields
	}{
		"captured again":            {known, known, device.SameNewer, nil},
		"serial in other case":      {known, identifiers(ekA, uuidA, "HP", "EliteBook", " 5cg1"), device.SameNewer, nil},
		"renamed by firmware":       {known, identifiers(ekA, uuidA, "HP Inc.", "EliteBook G8", "5CG1"), device.SameNewer, fields{"manufacturer", "product"}},
		"serial lost":               {known, identifiers(ekA, uuidA, "HP", "EliteBook", "Default string"), device.SameNewer, nil},
		"captured in WinPE":         {known, identifiers(noEK, uuidA, "HP", "EliteBook", "5CG1"), device.SameNewer, nil},
		"WinPE, UUID lost":          {known, identifiers(noEK, uuidFF, "HP", "EliteBook", "5CG1"), device.SameNewer, nil},
		"UUID only":                 {identifiers(noEK, uuidA, "", "", ""), identifiers(noEK, uuidA, "", "", ""), device.Contradicts, nil},
		"UUID and a disk":           {parts(identifiers(noEK, uuidA, "HP", "A", "None"), 1, 2), parts(identifiers(noEK, uuidA, "HP", "A", "None"), 2, 3), device.SameNewer, nil},
		"UUID and other disks":      {parts(identifiers(noEK, uuidA, "HP", "A", "None"), 1), parts(identifiers(noEK, uuidA, "HP", "A", "None"), 3), device.Contradicts, nil},
		"UUID, one serial lost":     {identifiers(noEK, uuidA, "HP", "A", "5CG1"), identifiers(noEK, uuidA, "HP", "A", "None"), device.Contradicts, nil},
		"UUID, serial, other maker": {identifiers(noEK, uuidA, "HP", "A", "5CG1"), identifiers(noEK, uuidA, "Dell", "A", "5CG1"), device.Contradicts, fields{"manufacturer"}},
		"UUID, serial, maker renamed": {
			identifiers(noEK, uuidA, "HP", "A", "5CG1"),
			identifiers(noEK, uuidA, "HP Inc.", "A", "5CG1"), device.SameNewer,
			fields{"manufacturer"},
		},
		"listed UUID, other serials":   {identifiers(noEK, uuidShared, "HP", "A", "5CG1"), identifiers(noEK, uuidShared, "HP", "A", "5CG2"), device.Unrelated, fields{"serial"}},
		"suspected serials differ":     {identifiers(ekA, uuidA, "HP", "A", "11111111"), identifiers(ekA, uuidA, "HP", "A", "22222222"), device.SameNewer, nil},
		"suspected serials agree":      {identifiers(ekA, uuidA, "HP", "A", "11111111"), identifiers(ekB, uuidB, "HP", "A", "11111111"), device.Unrelated, fields{"ek_hash", "uuid"}},
		"nothing but suspected values": {identifiers(noEK, noUUID, "HP", "A", "11111111"), identifiers(noEK, noUUID, "HP", "A", "11111111"), device.Contradicts, nil},
		"nothing but other suspicions": {identifiers(noEK, noUUID, "HP", "A", "11111111"), identifiers(noEK, noUUID, "HP", "A", "22222222"), device.Unrelated, nil},
		"suspected, and with a TPM":    {identifiers(noEK, noUUID, "HP", "A", "11111111"), identifiers(ekA, uuidA, "HP", "A", "11111111"), device.Unrelated, nil},
		"suspected, a TPM, and one disk": {
			parts(identifiers(noEK, noUUID, "HP", "A", "11111111"), 1),
			parts(identifiers(ekA, uuidA, "HP", "A", "11111111"), 1), device.Contradicts, nil,
		},
		"serial only":                {identifiers(noEK, noUUID, "HP", "EliteBook", "5CG1"), identifiers(noEK, noUUID, "HP", "EliteBook", "5CG1"), device.SameNewer, nil},
		"same key, other serial":     {known, identifiers(ekA, uuidA, "HP", "EliteBook", "5CG2"), device.Contradicts, fields{"serial"}},
		"same serial, other key":     {known, identifiers(ekB, uuidA, "HP", "EliteBook", "5CG1"), device.Contradicts, fields{"ek_hash"}},
		"same serial, other board":   {known, identifiers(ekB, uuidB, "HP", "EliteBook", "5CG1"), device.Contradicts, fields{"ek_hash", "uuid"}},
		"same serial, other UUID":    {known, identifiers(ekA, uuidB, "HP", "EliteBook", "5CG1"), device.Contradicts, fields{"uuid"}},
		"no key, other UUID":         {known, identifiers(noEK, uuidB, "HP", "EliteBook", "5CG1"), device.Contradicts, fields{"uuid"}},
		"no key, other serial":       {known, identifiers(noEK, uuidA, "HP", "EliteBook", "5CG2"), device.Contradicts, fields{"serial"}},
		"same serial, other product": {identifiers(noEK, noUUID, "HP", "A", "5CG1"), identifiers(noEK, noUUID, "HP", "B", "5CG1"), device.Contradicts, fields{"product"}},
		"other device":               {known, identifiers(ekB, uuidB, "HP", "EliteBook", "5CG2"), device.Unrelated, fields{"ek_hash", "uuid", "serial"}},
		"serial of another maker":    {known, identifiers(ekB, uuidB, "Dell", "EliteBook", "5CG1"), device.Unrelated, fields{"ek_hash", "uuid", "manufacturer"}},
		"same placeholders":          {identifiers(ekA, uuidFF, "HP", "A", "None"), identifiers(ekB, uuidFF, "HP", "A", "None"), device.Unrelated, fields{"ek_hash"}},
		"nothing in common":          {identifiers(ekA, noUUID, "HP", "A", ""), identifiers(noEK, uuidA, "HP", "A", "5CG1"), device.Unrelated, nil},
	}
	at := time.Date(2026, 2, 26, 19, 21, 2, 0, time.UTC)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			first := device.Capture{Identifiers: test.known, CapturedAt: at, Digest: [32]byte{1}}
			second := device.Capture{Identifiers: test.incoming, CapturedAt: at.Add(time.Hour), Digest: [32]byte{2}}
			got, differ := device.Relate(first, second)
			if got != test.want {
				t.Errorf("relation = %s, want %s", got, test.want)
			}
			if diff := cmp.Diff(test.differ, differ); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if got.Advice(differ) == "" {
				t.Error("no advice")
			}
			if back, _ := device.Relate(second, first); back != mirrored(test.want) {
				t.Errorf("the other way round = %s, want %s", back, mirrored(test.want))
			}
		})
	}
}

// parts gives identifiers components.
func parts(i device.Identifiers, components ...byte) device.Identifiers {
	for _, c := range components {
		i.Components = append(i.Components, hwhash.Component{c})
	}
	return i
}

func mirrored(r device.Relation) device.Relation {
	switch r {
	case device.SameNewer:
		return device.SameOlder
	case device.SameOlder:
		return device.SameNewer
	}
	return r
}

// captures draws from so few values that captures often share some.
func captures() *rapid.Generator[device.Capture] {
	return rapid.Custom(func(t *rapid.T) device.Capture {
		day := rapid.IntRange(1, 3).Draw(t, "day")
		c := device.Capture{
			Identifiers: device.Identifiers{
				EKHash:       rapid.SampledFrom([][32]byte{{}, ekA, ekB}).Draw(t, "ek"),
				UUID:         rapid.SampledFrom([][16]byte{{}, uuidFF, uuidA, uuidB}).Draw(t, "uuid"),
				Manufacturer: rapid.SampledFrom([]string{"", "HP", "hp ", "Dell"}).Draw(t, "manufacturer"),
				Product:      rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "product"),
				Serial: device.NewSerial(
					rapid.SampledFrom([]string{"", "None", "5cg1", "5CG1", "5CG2", "11111111"}).Draw(t, "serial"),
				),
			},
			CapturedAt: time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC),
		}
		i := c.Identifiers
		if rapid.Bool().Draw(t, "disk") {
			c.Components = []hwhash.Component{{1}}
		}
		c.Digest = sha256.Sum256(
			fmt.Append(nil, i.EKHash, i.UUID, i.Manufacturer, i.Product, i.Serial.Reveal(), c.Components, day),
		)
		return c
	})
}

func TestRelateLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := captures().Draw(t, "a")
		b := captures().Draw(t, "b")
		forth, differ := device.Relate(a, b)
		back, differBack := device.Relate(b, a)
		if back != mirrored(forth) || !cmp.Equal(differ, differBack) {
			t.Fatalf("%s one way, %s the other", forth, back)
		}
		if forth == device.Contradicts && len(differ) == 0 && a.HasSerial() && b.HasSerial() {
			t.Fatal("a conflict over nothing")
		}

		keyA, _, errA := device.Identify(a.Identifiers)
		keyB, _, errB := device.Identify(b.Identifiers)
		if errA == nil && errB == nil && keyA == keyB && forth == device.Unrelated {
			t.Fatal("one key, but unrelated")
		}
		sameMaker := strings.EqualFold(strings.TrimSpace(a.Manufacturer), strings.TrimSpace(b.Manufacturer))
		if a.HasSerial() && b.HasSerial() && sameMaker && a.Serial.Same(b.Serial) && forth == device.Unrelated {
			t.Fatal("one serial, but unrelated")
		}
		if self, _ := device.Relate(a, a); errA == nil && self != device.SameCapture {
			t.Fatalf("a capture is %s to itself", self)
		}
	})
}
