package device

import (
	"slices"

	"taxiway.example/pkg/fault"
)

// State is where a device stands on its way.
type State string

// The states. A device goes collected → submitting → submitted → registered → tagged → grouped → ready; held, dead,
// missing and retired lie beside the way.
const (
	Collected  State = "collected"  // accepted; waits to be submitted
	Submitting State = "submitting" // part of a submission whose POST may or may not have happened
	Submitted  State = "submitted"  // Autopilot has the import; its outcome is awaited
	Registered State = "registered" // Autopilot has the device
	Tagged     State = "tagged"     // its group tag is right in Autopilot
	Grouped    State = "grouped"    // its dynamic group has picked it up, or it needs none
	Ready      State = "ready"      // a deployment profile is assigned
	Held       State = "held"       // a person must decide
	Dead       State = "dead"       // given up at a stage; can be replayed
	Missing    State = "missing"    // was ready; a complete listing of the tenant no longer has it
	Retired    State = "retired"    // taken out of service
)

// States returns all states in the order of the way.
func States() []State { return slices.Clone(states) }

var states = []State{Collected, Submitting, Submitted, Registered, Tagged, Grouped, Ready, Held, Dead, Missing, Retired}

// Stage is a part of the way that one kind of work serves.
type Stage string

// The stages. Devices in submitting and submitted are worked on through their submission, which has a due time of its
// own.
const (
	StageNone   Stage = ""
	StageImport Stage = "import" // collected devices, to be submitted
	StageGroup  Stage = "group"  // registered, tagged and grouped devices, and ready ones that are due for a check
)

// Stage returns the stage that works on devices in this state when they are due, StageNone where no device-by-device
// work ever is.
func (s State) Stage() Stage {
	switch s {
	case Collected:
		return StageImport
	case Registered, Tagged, Grouped, Ready:
		return StageGroup
	}
	return StageNone
}

// InFlight reports whether the pipeline still has to do something for a device in this state.
func (s State) InFlight() bool {
	return s == Submitting || s == Submitted || s.Stage() != StageNone && s != Ready
}

// ReplayTo returns the state a device goes back to that died in s of the code: work on a lost or settled submission
// starts over, and so does a device whose registration is not there.
func (s State) ReplayTo(code fault.Code) State {
	if s == Submitting || s == Submitted || code == fault.AutopilotNotRegistered {
		return Collected
	}
	return s
}
