package ledgertest

import (
	"slices"
	"testing"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
)

// Movable is a ledger whose devices can be read and moved.
type Movable interface {
	ledger.DeviceReader
	ledger.Mover
}

// MoveTo moves a device from where it is, by legal steps, and returns it as it is then; the changes are those of the
// last.
func MoveTo(
	t testing.TB, l Movable, tenant device.TenantID, id string, to device.State, changes ...func(*ledger.Move),
) device.Device {
	t.Helper()
	read := func() device.Device {
		found, err := l.Devices(t.Context(), tenant, []string{id})
		if err != nil || len(found) != 1 {
			t.Fatalf("device %q: %d found, %v", id, len(found), err)
		}
		return found[0]
	}
	d := read()
	way := Way(d.State, to)
	for i, state := range way {
		m := ledger.Move{Tenant: tenant, Device: id, Version: d.Version + int64(i), To: state, By: "test"}
		if i == len(way)-1 {
			for _, change := range changes {
				change(&m)
			}
		}
		if applied, err := l.Move(t.Context(), m); err != nil || !applied[0] {
			t.Fatalf("%s → %s: %v, %v", d.State, state, applied, err)
		}
	}
	return read()
}

// Way returns the shortest legal way from one state to another, without the first; the last is to. It leads past what
// lies beside the way: a dead device would leave a dead letter. A device that stays takes one step.
func Way(from, to device.State) []device.State {
	ways := [][]device.State{nil}
	for seen := []device.State{from}; len(ways) > 0; ways = ways[1:] {
		way := ways[0]
		at := from
		if len(way) > 0 {
			at = way[len(way)-1]
		}
		if at.CanBecome(to) {
			return append(slices.Clone(way), to)
		}
		for _, next := range device.States() {
			underWay := next.InFlight() || next == device.Ready
			if underWay && at.CanBecome(next) && !slices.Contains(seen, next) {
				seen = append(seen, next)
				ways = append(ways, append(slices.Clone(way), next))
			}
		}
	}
	panic("no legal way from " + string(from) + " to " + string(to))
}
