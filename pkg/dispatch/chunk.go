package dispatch

import (
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/ledger"
)

// chunk is the devices of one event.
type chunk struct {
	ids   []string
	batch string // "" when they came with several
}

// chunks divides claimed devices, in their order, into as few chunks as their limits allow. Only devices of the same
// limit share a chunk: a limit is there to single out a device that spoils whatever it is sent with.
func chunks(due []ledger.DueDevice) []chunk {
	var list []chunk
	open := map[int]int{} // limit → index of the chunk that has room
	for _, d := range due {
		limit := size(d.ChunkLimit)
		i, ok := open[limit]
		if !ok || len(list[i].ids) == limit {
			i = len(list)
			open[limit] = i
			list = append(list, chunk{batch: d.Batch})
		}
		list[i].ids = append(list[i].ids, d.ID)
		if list[i].batch != d.Batch {
			list[i].batch = ""
		}
	}
	return list
}

// size is the number of devices that a chunk with this limit may have.
func size(limit int) int {
	if limit <= 0 {
		return event.MaxChunk
	}
	return min(limit, event.MaxChunk)
}
