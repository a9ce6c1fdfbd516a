// Package step holds what the steps of the group stage share: a device as the ledger and Autopilot have it, and what a
// step decides about it. Steps decide; only the service writes to the ledger.
package step

import (
	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// Case is a device with its Autopilot identity.
type Case struct {
	Device   device.Device
	Identity autopilot.Identity
}

// Decision is what a step decided about a device: it has reached a state, or something keeps it where it is or throws
// it back.
type Decision struct {
	To  device.State // where it goes; "" = nowhere, and then Err says why
	Set ledger.Patch
	Err error // a fault whose code becomes the reason; its kind says whether waiting helps
}

// Reached says that the device has got to a state.
func Reached(to device.State, set ledger.Patch) Decision { return Decision{To: to, Set: set} }

// Stays says that something keeps the device where it is.
func Stays(err error) Decision { return Decision{Err: err} }

// Back says that something throws the device back to a state, where it waits.
func Back(to device.State, set ledger.Patch, err error) Decision {
	return Decision{To: to, Set: set, Err: err}
}

// All gives every case the same decision.
func All(n int, d Decision) []Decision {
	decisions := make([]Decision, n)
	for i := range decisions {
		decisions[i] = d
	}
	return decisions
}

// Concerns reports whether an error met with one device would meet every other device of the tenant too, so that asking
// for them is of no use now.
func Concerns(err error) bool {
	switch fault.KindOf(err) {
	case fault.Throttled, fault.Denied:
		return true
	}
	return fault.Is(err, fault.GraphUnavailable) || fault.IsCancel(err)
}
