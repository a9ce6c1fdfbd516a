// Package readiness is the last step: a deployment profile is assigned.
package readiness

import (
	"strings"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/grouper/internal/step"
)

// Decide takes grouped devices to Ready.
func Decide(cases []step.Case) []step.Decision {
	decisions := make([]step.Decision, len(cases))
	for i, c := range cases {
		decisions[i] = decide(c.Identity)
	}
	return decisions
}

// decide leaves a failed assignment waiting as well: the administrator mends it in Intune, and it goes on by itself.
func decide(i autopilot.Identity) step.Decision {
	switch {
	case i.ProfileAssigned():
		return step.Reached(device.Ready, ledger.Patch{})
	case i.Profile == autopilot.ProfileFailed:
		return step.Stays(
			fault.New(
				fault.GroupProfileFailed,
				strings.TrimSpace("Intune says "+string(i.Profile)+" "+i.ProfileDetail),
			),
		)
	}
	return step.Stays(fault.Newf(fault.GroupProfilePending, "Intune says %q", string(i.Profile)))
}
