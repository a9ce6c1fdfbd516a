package devicelist

import (
	"fmt"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// known is the devices of the rows so far. Who a row is, is decided as the ledger does it, by device.Index.
type known struct {
	index *device.Index
	seen  map[*device.Known]*seen
}

// seen is where a device was met first, and which earlier one it contradicts, if it does.
type seen struct{ place, against *Place }

func newKnown() known { return known{device.NewIndex(), map[*device.Known]*seen{}} }

// take decides a row and remembers its device. The place it returns is that of the row that this one repeats or
// contradicts.
func (k *known) take(at Place, c device.Candidate) (device.Decision, *Place) {
	v := k.index.Decide(c)
	if v.Is == nil {
		return v, k.add(at, c, v)
	}
	if v.Is.Learn(c, v.Newer) {
		k.index.Add(v.Is)
	}
	met := k.seen[v.Is]
	if v.Outcome == device.Conflict {
		return v, met.against
	}
	if met.place.File == at.File {
		v.Code = fault.RowDuplicateInFile
	}
	return v, met.place
}

// add remembers a new device and returns the place of the one that it contradicts.
func (k *known) add(at Place, c device.Candidate, v device.Decision) *Place {
	d := &device.Known{
		ID: fmt.Sprintf("%09d", len(k.seen)), Key: v.Key, Kind: c.Kind, State: device.Collected, Crowded: v.Crowded,
	}
	met := &seen{place: &at}
	if v.Outcome == device.Conflict {
		d.State = device.Held
		d.Conflict = true
		d.Code = v.Code
		d.Detail = v.Detail
		if against := k.seen[v.Against]; against != nil {
			met.against = against.place
		}
	}
	d.Learn(c, true)
	k.index.Add(d)
	k.seen[d] = met
	return met.against
}
