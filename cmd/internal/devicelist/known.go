package devicelist

import (
	"fmt"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
)

// known is the devices of the rows so far. Who a row is, is decided as the ledger does it, by device.Index.
type known struct {
	index *device.Index
	seen  map[*device.Known]*seen
}

// seen is where a device was met first, what that row asked for, and which earlier device it contradicts, if it does.
type seen struct {
	place, against *Place
	asked          device.Device
}

func newKnown() known { return known{device.NewIndex(), map[*device.Known]*seen{}} }

// take decides a row and remembers its device. The place it returns is that of the row that this one repeats or
// contradicts.
func (k *known) take(at Place, c intake.Candidate) (device.Decision, *Place) {
	v := k.index.Decide(c.Candidate)
	if v.Is == nil {
		return v, k.add(at, c, v)
	}
	if v.Is.Learn(c.Candidate, v.Newer) {
		k.index.Add(v.Is)
	}
	met := k.seen[v.Is]
	if v.Outcome == device.Conflict {
		return v, met.against
	}
	if met.place.File == at.File {
		v.Code = fault.RowDuplicateInFile
		if differs := met.asked.Differs(device.Request{GroupTag: c.GroupTag, User: c.User}); differs != "" {
			v.Code = fault.RowDiffersInFile
			v.Detail = differs
		}
	}
	return v, met.place
}

// add remembers a new device and returns the place of the one that it contradicts.
func (k *known) add(at Place, c intake.Candidate, v device.Decision) *Place {
	d := &device.Known{
		ID: fmt.Sprintf("%09d", len(k.seen)), Key: v.Key, Kind: c.Kind, State: device.Collected, Crowded: v.Crowded,
	}
	met := &seen{place: &at, asked: device.Device{GroupTag: c.GroupTag, User: c.User}}
	if v.Outcome == device.Conflict {
		d.State = device.Held
		d.Conflict = true
		d.Code = v.Code
		d.Detail = v.Detail
		if against := k.seen[v.Against]; against != nil {
			met.against = against.place
		}
	}
	d.Learn(c.Candidate, true)
	k.index.Add(d)
	k.seen[d] = met
	return met.against
}
