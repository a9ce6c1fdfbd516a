package device

import "slices"

// transitions is every legal step from one state to another. A step to the same state is legal in all of them: it
// changes when and why the device waits.
var transitions = map[State][]State{
	"":         {Collected, Held}, // a row became a device
	Collected:  {Submitting, Dead, Retired},
	Submitting: {Submitted, Registered, Collected, Held, Dead}, // collected: withdrawn or lost
	Submitted:  {Registered, Collected, Held, Dead},
	Registered: {Tagged, Collected, Dead, Retired}, // collected: Autopilot does not have it
	Tagged:     {Grouped, Registered, Collected, Dead, Retired},
	Grouped:    {Ready, Registered, Collected, Dead, Retired},
	Ready:      {Registered, Collected, Missing, Retired}, // registered: another tag or user
	Held:       {Collected, Retired},
	Dead:       {Collected, Registered, Tagged, Grouped, Retired}, // replayed; collected also: sent again
	Missing:    {Registered, Collected, Retired},
	Retired:    {Collected, Dead}, // dead: its discarded dead letter was restored
}

// CanBecome reports whether a device in this state may be moved to the other. The state "" is that of a row that is no
// device yet.
func (s State) CanBecome(to State) bool {
	next, known := transitions[s]
	return known && (s == to && s != "" || slices.Contains(next, to))
}
