package device_test

import (
	"fmt"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
)

// Two captures of one device: other bytes, one key.
func Example() {
	r := hwhash.Synthetic(42)
	first, err := capture(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Tool.CapturedAt = r.Tool.CapturedAt.Add(30 * 24 * time.Hour)
	r.Adapters = append(r.Adapters, hwhash.Adapter{Medium: 14, MAC: hwhash.NewSecret("\x02dock!"), Enumerator: "USB"})
	docked, err := capture(r)
	if err != nil {
		fmt.Println(err)
		return
	}

	key, kind, err := device.Identify(first.Identifiers)
	if err != nil {
		fmt.Println(err)
		return
	}
	again, _, err := device.Identify(docked.Identifiers)
	relation, _ := device.Relate(first, docked)
	fmt.Println(kind, key == again, err, relation)
	fmt.Println(first.Serial)
	// Output:
	// tpm_ek true <nil> same_newer
	// [redacted]
}

// A replaced board is a conflict that a person decides.
func ExampleRelate() {
	r := hwhash.Synthetic(42)
	before, err := capture(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	spare := hwhash.Synthetic(45)
	r.EK = spare.EK
	r.OfflineID = spare.OfflineID
	r.UUID = spare.UUID
	after, err := capture(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	relation, differ := device.Relate(before, after)
	fmt.Println(relation, differ)
	// Output:
	// conflict [ek_hash uuid]
}

func capture(r hwhash.Report) (device.Capture, error) {
	h, err := hwhash.Encode(r)
	if err != nil {
		return device.Capture{}, err
	}
	s, err := hwhash.Summarize(h)
	if err != nil {
		return device.Capture{}, err
	}
	return device.CaptureOf(s), nil
}
