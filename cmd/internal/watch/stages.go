package watch

import (
	"slices"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
)

// way is the states of a device that gets there, in their order.
var way = []device.State{
	device.Collected, device.Submitting, device.Submitted, device.Registered, device.Tagged, device.Grouped, device.Ready,
}

// aside is the states beside the way.
var aside = []device.State{device.Held, device.Dead, device.Missing, device.Retired}

// stages are the states that are shown while a batch is on its way.
var stages = []device.State{device.Submitted, device.Registered, device.Tagged, device.Grouped, device.Ready}

// reached counts the devices that are at a state or beyond it.
func reached(b api.Batch, s device.State) int {
	n := 0
	for _, beyond := range way[slices.Index(way, s):] {
		n += b.States[beyond]
	}
	return n
}

// fallen counts the devices that left the way.
func fallen(b api.Batch) int {
	n := 0
	for _, s := range aside {
		n += b.States[s]
	}
	return n
}
