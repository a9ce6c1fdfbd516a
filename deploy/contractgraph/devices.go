package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/hwhash"
)

// serialPrefix begins the serial numbers of made-up devices, so that a person knows them in the portal.
const serialPrefix = "TAXIWAYTEST"

// groupTag is the tag of made-up devices: no group of the tenant should have a rule for it.
const groupTag = "taxiway-contract"

func madeHere(e entry) bool { return strings.HasPrefix(strings.ToUpper(e.Serial), serialPrefix) }

// madeUp makes up devices that nobody has.
func madeUp(n int) ([]autopilot.ImportDevice, error) {
	devices := make([]autopilot.ImportDevice, n)
	for i := range devices {
		var random [8]byte
		if _, err := rand.Read(random[:]); err != nil {
			return nil, err
		}
		serial := serialPrefix + fmt.Sprintf("%X", random[:4])
		report := hwhash.Synthetic(binary.BigEndian.Uint64(random[:]))
		report.Serial = hwhash.NewSecret(serial)
		hash, err := hwhash.Encode(report)
		if err != nil {
			return nil, err
		}
		devices[i] = autopilot.ImportDevice{Serial: device.NewSerial(serial), Hash: hash, GroupTag: groupTag}
	}
	return devices, nil
}

// has reports whether an entry is of one of the trial's devices.
func (t *trial) has(e entry) bool {
	return slices.ContainsFunc(t.devices, func(d autopilot.ImportDevice) bool {
		return d.Serial.Same(device.NewSerial(e.Serial))
	})
}

// serials are the serial numbers of the trial's devices, which are no secret.
func (t *trial) serials() string {
	var all []string
	for _, d := range t.devices {
		all = append(all, d.Serial.Reveal())
	}
	return strings.Join(all, ", ")
}
