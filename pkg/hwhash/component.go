package hwhash

import (
	"bytes"
	"crypto/sha256"
	"slices"
)

// Component is a short digest of the serial number of a disk or of the address of a network adapter.
type Component [8]byte

// maxComponents is how many components are kept of a machine; a large server has dozens of adapters.
const maxComponents = 16

// busUSB is STORAGE_BUS_TYPE BusTypeUsb.
const busUSB = 7

// Components returns the disks and network adapters of the device that tell it from another one, sorted. What is
// plugged in from outside is left out, since it moves from device to device: USB disks and adapters, and all disks
// where the records do not say which of them is USB. So are placeholders, and addresses that software gave.
func (s Summary) Components() []Component {
	r, err := Decode(s.hash)
	if err != nil {
		return nil
	}
	var all []Component
	for i, name := range r.DiskNames {
		serial := name.Serial.Reveal()
		if len(r.Disks) == len(r.DiskNames) && r.Disks[i].Bus != busUSB && SerialPlaceholder(serial) == NoPlaceholder {
			all = append(all, component("disk", serial))
		}
	}
	for _, a := range r.Adapters {
		if mac := a.MAC.Reveal(); a.Enumerator != "USB" && isUniversal(mac) {
			all = append(all, component("mac", mac))
		}
	}
	slices.SortFunc(all, func(a, b Component) int { return bytes.Compare(a[:], b[:]) })
	all = slices.Compact(all)
	return all[:min(len(all), maxComponents)]
}

func component(kind, value string) Component {
	sum := sha256.Sum256([]byte(kind + "\x00" + value))
	return Component(sum[:8])
}

// isUniversal reports whether a maker gave the address: it is neither zero nor multicast nor locally administered
// (IEEE 802, bits 0 and 1 of the first octet).
func isUniversal(mac string) bool {
	const macSize = 6
	return len(mac) == macSize && mac != "\x00\x00\x00\x00\x00\x00" && mac[0]&3 == 0
}
