package device_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
)

func TestRelate(t *testing.T) {
	var noEK [32]byte
	var noUUID [16]byte
	known := evidence(ekA, uuidA, "HP", "EliteBook", "5CG1")
	type fields = []device.Field
	tests := map[string]struct {
		known, incoming device.Evidence
		want            device.Relation
		differ          fields
	}{
		"captured again":             {known, known, device.SameNewer, nil},
		"serial in other case":       {known, evidence(ekA, uuidA, "HP", "EliteBook", " 5cg1"), device.SameNewer, nil},
		"renamed by firmware":        {known, evidence(ekA, uuidA, "HP Inc.", "EliteBook G8", "5CG1"), device.SameNewer, fields{"manufacturer", "product"}},
		"serial lost":                {known, evidence(ekA, uuidA, "HP", "EliteBook", "Default string"), device.SameNewer, nil},
		"captured in WinPE":          {known, evidence(noEK, uuidA, "HP", "EliteBook", "5CG1"), device.SameNewer, nil},
		"WinPE, UUID lost":           {known, evidence(noEK, uuidFF, "HP", "EliteBook", "5CG1"), device.SameNewer, nil},
		"UUID only":                  {evidence(noEK, uuidA, "", "", ""), evidence(noEK, uuidA, "", "", ""), device.SameNewer, nil},
		"serial only":                {evidence(noEK, noUUID, "HP", "EliteBook", "5CG1"), evidence(noEK, noUUID, "HP", "EliteBook", "5CG1"), device.SameNewer, nil},
		"same key, other serial":     {known, evidence(ekA, uuidA, "HP", "EliteBook", "5CG2"), device.Contradicts, fields{"serial"}},
		"same serial, other key":     {known, evidence(ekB, uuidA, "HP", "EliteBook", "5CG1"), device.Contradicts, fields{"ek_hash"}},
		"same serial, other board":   {known, evidence(ekB, uuidB, "HP", "EliteBook", "5CG1"), device.Contradicts, fields{"ek_hash", "uuid"}},
		"same serial, other UUID":    {known, evidence(ekA, uuidB, "HP", "EliteBook", "5CG1"), device.Contradicts, fields{"uuid"}},
		"no key, other UUID":         {known, evidence(noEK, uuidB, "HP", "EliteBook", "5CG1"), device.Contradicts, fields{"uuid"}},
		"no key, other serial":       {known, evidence(noEK, uuidA, "HP", "EliteBook", "5CG2"), device.Contradicts, fields{"serial"}},
		"same serial, other product": {evidence(noEK, noUUID, "HP", "A", "5CG1"), evidence(noEK, noUUID, "HP", "B", "5CG1"), device.Contradicts, fields{"product"}},
		"other device":               {known, evidence(ekB, uuidB, "HP", "EliteBook", "5CG2"), device.Unrelated, fields{"ek_hash", "uuid", "serial"}},
		"serial of another maker":    {known, evidence(ekB, uuidB, "Dell", "EliteBook", "5CG1"), device.Unrelated, fields{"ek_hash", "uuid", "manufacturer"}},
		"same placeholders":          {evidence(ekA, uuidFF, "HP", "A", "None"), evidence(ekB, uuidFF, "HP", "A", "None"), device.Unrelated, fields{"ek_hash"}},
		"nothing in common":          {evidence(ekA, noUUID, "HP", "A", ""), evidence(noEK, uuidA, "HP", "A", "5CG1"), device.Unrelated, nil},
	}
	at := time.Date(2026, 2, 26, 19, 21, 2, 0, time.UTC)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			first := device.Capture{Evidence: test.known, At: at, Digest: [32]byte{1}}
			second := device.Capture{Evidence: test.incoming, At: at.Add(time.Hour), Digest: [32]byte{2}}
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
		return device.Capture{
			Evidence: device.Evidence{
				EKHash:       rapid.SampledFrom([][32]byte{{}, ekA, ekB}).Draw(t, "ek"),
				UUID:         rapid.SampledFrom([][16]byte{{}, uuidFF, uuidA, uuidB}).Draw(t, "uuid"),
				Manufacturer: rapid.SampledFrom([]string{"", "HP", "hp ", "Dell"}).Draw(t, "manufacturer"),
				Product:      rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "product"),
				Serial:       device.NewSerial(rapid.SampledFrom([]string{"", "None", "5cg1", "5CG1", "5CG2"}).Draw(t, "serial")),
			},
			At:     time.Date(2026, 1, day, 0, 0, 0, 0, time.UTC),
			Digest: [32]byte{rapid.ByteRange(0, 2).Draw(t, "digest")},
		}
	})
}

func TestRelateLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := captures().Draw(t, "a"), captures().Draw(t, "b")
		forth, differ := device.Relate(a, b)
		back, differBack := device.Relate(b, a)
		if back != mirrored(forth) || !cmp.Equal(differ, differBack) {
			t.Fatalf("%s one way, %s the other", forth, back)
		}
		if forth == device.Contradicts && len(differ) == 0 {
			t.Fatal("a conflict over nothing")
		}

		keyA, _, errA := device.Identify(a.Evidence)
		keyB, _, errB := device.Identify(b.Evidence)
		if errA == nil && errB == nil && keyA == keyB && forth == device.Unrelated {
			t.Fatal("one key, but unrelated")
		}
		serialA, serialB := device.SerialKey(a.Manufacturer, a.Serial), device.SerialKey(b.Manufacturer, b.Serial)
		if serialA != "" && serialA == serialB && forth == device.Unrelated {
			t.Fatal("one serial, but unrelated")
		}
		if self, _ := device.Relate(a, a); errA == nil && self != device.SameCapture {
			t.Fatalf("a capture is %s to itself", self)
		}
	})
}
