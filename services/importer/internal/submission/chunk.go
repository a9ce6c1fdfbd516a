package submission

import "taxiway.example/pkg/device"

// choose takes the devices of one submission from those of an event, in order. A submission has at most size devices,
// at most as many as the smallest ChunkLimit in it says, and no two devices of one serial number: the answers name
// devices by nothing else. The others are the rest.
func choose(devices []device.Device, size int) (chunk, rest []device.Device) {
	serials := map[string]bool{}
	for _, d := range devices {
		limit := size
		if d.ChunkLimit > 0 {
			limit = min(limit, d.ChunkLimit)
		}
		serial := d.Serial.Fold()
		if len(chunk) >= limit || serials[serial] {
			rest = append(rest, d)
			continue
		}
		size = limit
		serials[serial] = true
		chunk = append(chunk, d)
	}
	return chunk, rest
}
