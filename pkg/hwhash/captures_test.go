package hwhash_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/hwhash"
)

// captures are shapes of a hash that were seen on real machines and that Synthetic does not make by itself.
func captures() map[string]hwhash.Report {
	of := func(change func(*hwhash.Report)) hwhash.Report {
		r := hwhash.Synthetic(5)
		change(&r)
		return r
	}
	return map[string]hwhash.Report{
		"in WinPE":       of((*hwhash.Report).CaptureInWinPE),
		"second display": of(addDisplay),
		"record 36":      of(func(r *hwhash.Report) { r.Text36 = hwhash.NewSecret("a text") }),
		"80 adapters":    of(func(r *hwhash.Report) { addAdapters(r, 80, "USB") }),
		"80 adapters, the records longer than the usual buffer": of(
			func(r *hwhash.Report) { addAdapters(r, 80, "VMBUS") },
		),
	}
}

func addDisplay(r *hwhash.Report) {
	display := hwhash.Display{WidthMM: 597, HeightMM: 336, WidthPx: 2560, HeightPx: 1440, Technology: 10}
	r.Displays = append(r.Displays, display)
	r.DisplaySizes = append(r.DisplaySizes, hwhash.DisplaySize{WidthCM: 60, HeightCM: 34})
}

// addAdapters brings the device to n network adapters.
func addAdapters(r *hwhash.Report, n int, enumerator string) {
	for i := len(r.Adapters); i < n; i++ {
		mac := hwhash.NewSecret("\x02\x00\x00\x00\x01" + string([]byte{byte(i)}))
		r.Adapters = append(r.Adapters, hwhash.Adapter{Medium: 14, MAC: mac, Enumerator: enumerator})
	}
}

// A capture of each shape comes back whole, from a clean text and from one in lines; nothing in it is odd or unknown.
func TestCapturesOfEveryShape(t *testing.T) {
	for name, r := range captures() {
		t.Run(name, func(t *testing.T) {
			h := mustEncode(t, r)
			checkHash(t, h)
			folded, err := hwhash.Parse(fold(h.Wire(), 76, "\r\n"))
			if err != nil || !folded.Equal(h) {
				t.Errorf("in lines of 76 another hash came out: %v", err)
			}
			got, err := hwhash.Decode(h)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r, got); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
			warnings := mustSummarize(t, h.Wire()).Warnings
			if want := map[bool]string{true: "winpe_capture"}[name == "in WinPE"]; warnings.String() != want {
				t.Errorf("warnings = %q, want %q", warnings, want)
			}
		})
	}
}

// The hash of a large machine may be longer than the usual buffer. It is one hash; what follows it is not.
func TestLargeMachine(t *testing.T) {
	r := hwhash.Synthetic(5)
	addAdapters(&r, 80, "VMBUS")
	h := mustEncode(t, r)
	if len(h.Wire()) <= hwhash.WireChars {
		t.Fatalf("%d characters prove nothing", len(h.Wire()))
	}
	total := len(h.Canonical()) - 36
	records := len(slices.Collect(h.Records()))
	_, err := hwhash.Parse(h.Wire() + h.Wire())
	wantError(t, err, &hwhash.Error{Code: hwhash.CodeTrailingData, Offset: total + 36, Records: records})
	_, err = hwhash.Parse(h.Wire()[:hwhash.WireChars])
	if !errors.Is(err, &hwhash.Error{Code: hwhash.CodeTruncated}) {
		t.Errorf("cut to the usual length: %v", err)
	}
	addAdapters(&r, 400, "VMBUS")
	if _, err := hwhash.Encode(r); !errors.Is(err, &hwhash.Error{Code: hwhash.CodeTooLarge}) {
		t.Errorf("400 adapters: %v", err)
	}
}

// What a technician is told to do is never to report what Taxiway knows already.
func TestNoAdviceAsksForReports(t *testing.T) {
	for w := range hwhash.AllWarnings().All() {
		asks := strings.Contains(w.Advice(), "report") || strings.Contains(w.Advice(), "maintain")
		if asks && w != hwhash.UnknownRecord {
			t.Errorf("%s: %s", w, w.Advice())
		}
	}
}
