package device_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
)

func captureOf(t *testing.T, r hwhash.Report) device.Capture {
	t.Helper()
	h, err := hwhash.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return summarized(t, h)
}

func summarized(t *testing.T, h hwhash.Hash) device.Capture {
	t.Helper()
	s, err := hwhash.Summarize(h)
	if err != nil {
		t.Fatal(err)
	}
	c := device.CaptureOf(s)
	if c.Digest != h.Digest() {
		t.Error("the digest of a capture is not that of its hash")
	}
	return c
}

// What changes between two captures of one device does not change the device; what makes another device does.
func TestCapturesOfMadeUpDevices(t *testing.T) {
	first := captureOf(t, hwhash.Synthetic(1))
	tests := map[string]struct {
		change func(*hwhash.Report)
		want   device.Relation
	}{
		"the same":      {func(*hwhash.Report) {}, device.SameCapture},
		"a week later":  {func(r *hwhash.Report) { r.Tool.CapturedAt = r.Tool.CapturedAt.Add(7 * 24 * time.Hour) }, device.SameNewer},
		"a week before": {func(r *hwhash.Report) { r.Tool.CapturedAt = r.Tool.CapturedAt.Add(-7 * 24 * time.Hour) }, device.SameOlder},
		"in WinPE": {func(r *hwhash.Report) {
			r.RemoveTPM()
			r.Tool.CapturedAt = r.Tool.CapturedAt.Add(time.Hour)
		}, device.SameNewer},
		"board swap": {func(r *hwhash.Report) {
			other := hwhash.Synthetic(4)
			r.EK = other.EK
			r.OfflineID = other.OfflineID
			r.UUID = other.UUID
		}, device.Contradicts},
		"serial rewritten": {func(r *hwhash.Report) { r.Serial = hwhash.NewSecret("REWRITTEN1") }, device.Contradicts},
		"another device":   {func(r *hwhash.Report) { *r = hwhash.Synthetic(4) }, device.Unrelated},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := hwhash.Synthetic(1)
			test.change(&r)
			if got, differ := device.Relate(first, captureOf(t, r)); got != test.want {
				t.Errorf("relation = %s %v, want %s", got, differ, test.want)
			}
		})
	}
}

func TestSampleCapturesAreOneDevice(t *testing.T) {
	dir, err := filepath.Abs("../../../shared/samples")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("SKIPPED: no sample captures in ../shared/samples")
	}
	read := func(name string) device.Capture {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		h, err := hwhash.ParseBytes(text)
		if err != nil {
			t.Fatal(err)
		}
		return summarized(t, h)
	}
	first := read("derived-a-line-breaks.b64")
	again := read("derived-a-recaptured.b64")
	keyFirst, kind, err := device.Identify(first.Identifiers)
	if err != nil || kind != device.KeyTPMEK {
		t.Fatalf("kind = %s, error %v", kind, err)
	}
	if keyAgain, _, err := device.Identify(again.Identifiers); err != nil || keyAgain != keyFirst {
		t.Errorf("the recaptured device has another key (%v)", err)
	}
	if got, differ := device.Relate(first, again); got != device.SameNewer || len(differ) > 0 {
		t.Errorf("relation = %s %v", got, differ)
	}
	placeholder := read("synthetic-placeholder-serial.b64")
	if placeholder.HasSerial() || placeholder.HasUUID() {
		t.Error("a placeholder serial and a UUID of FF must not count")
	}
}
