package watch

import (
	"slices"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/ledger"
)

// way is the states of a device that gets there, in their order.
var way = []ledger.State{
	ledger.Collected, ledger.Submitting, ledger.Submitted, ledger.Registered, ledger.Tagged, ledger.Grouped, ledger.Ready,
}

// aside is the states beside the way.
var aside = []ledger.State{ledger.Held, ledger.Dead, ledger.Retired}

// stages are the states that are shown while a batch is on its way.
var stages = []ledger.State{ledger.Submitted, ledger.Registered, ledger.Tagged, ledger.Grouped, ledger.Ready}

// reached counts the devices that are at a state or beyond it.
func reached(b api.Batch, s ledger.State) int {
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
