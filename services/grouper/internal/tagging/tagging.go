// Package tagging is the first step after registration: the device's group tag in Autopilot becomes the one that the
// tenant's rules demand, and is written only when it differs.
package tagging

import (
	"context"
	"strings"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/step"
)

// Setter writes group tags; autopilot.Client does.
type Setter interface {
	SetGroupTag(ctx context.Context, id, tag string) error
}

// Decide takes registered devices to Tagged. A tag that nobody asks for is left alone: it may have been set by hand.
// Once the tenant is throttled or refused, the rest of the devices wait without being asked for.
func Decide(ctx context.Context, s Setter, t tenant.Tenant, cases []step.Case) []step.Decision {
	decisions := make([]step.Decision, len(cases))
	var blocked error
	for i, c := range cases {
		want := t.WantedTag(c.Device)
		err := blocked
		if err == nil || !differs(want, c) {
			err = set(ctx, s, want, c)
		}
		if err != nil {
			decisions[i] = step.Stays(err)
			if step.Concerns(err) {
				blocked = err
			}
			continue
		}
		patch := ledger.Patch{Tag: &want}
		if c.Identity.EntraDeviceID != "" {
			patch.EntraDeviceID = &c.Identity.EntraDeviceID
		}
		decisions[i] = step.Reached(device.Tagged, patch)
	}
	return decisions
}

// Writes reports whether a registered device's tag is to be written.
func Writes(t tenant.Tenant, c step.Case) bool { return differs(t.WantedTag(c.Device), c) }

// Changed reports whether a tagged device has another tag in Autopilot than it was given. As in the rules of groups,
// case does not matter.
func Changed(c step.Case) bool {
	d := c.Device
	return d.State == device.Tagged && d.Tag != "" && !strings.EqualFold(d.Tag, c.Identity.GroupTag)
}

func differs(want string, c step.Case) bool { return want != "" && want != c.Identity.GroupTag }

// set is repeated after a crash or a lost answer; that does no harm.
func set(ctx context.Context, s Setter, want string, c step.Case) error {
	if !differs(want, c) {
		return nil
	}
	return s.SetGroupTag(ctx, c.Identity.ID, want)
}
