// Package tagging is the first step after registration: the device's group tag in Autopilot becomes the one that the
// tenant's rules demand, and its assigned user the one that was asked for. Either is written only when it differs.
package tagging

import (
	"context"
	"strings"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/step"
)

// Setter writes group tags and assigned users; autopilot.Client does.
type Setter interface {
	SetGroupTag(ctx context.Context, id, tag string) error
	AssignUser(ctx context.Context, id, user, displayName string) error
}

// Decide takes registered devices to Tagged. A tag or user that nobody asks for is left alone: it may have been set by
// hand.
// Once the tenant is throttled or refused, the rest of the devices wait without being asked for.
func Decide(ctx context.Context, s Setter, t tenant.Tenant, cases []step.Case) []step.Decision {
	decisions := make([]step.Decision, len(cases))
	var blocked error
	for i, c := range cases {
		want := t.WantedTag(c.Device)
		err := blocked
		if err == nil || !differs(want, c) && !otherUser(c) {
			err = set(ctx, s, want, c)
		}
		if err != nil {
			decisions[i] = step.Stays(err)
			if step.Concerns(err) {
				blocked = err
			}
			continue
		}
		patch := ledger.Patch{Tag: &want, AssignedUser: &c.Device.User}
		if c.Identity.EntraDeviceID != "" {
			patch.EntraDeviceID = &c.Identity.EntraDeviceID
		}
		decisions[i] = step.Reached(device.Tagged, patch)
	}
	return decisions
}

// Writes reports whether a registered device's tag or user is to be written.
func Writes(t tenant.Tenant, c step.Case) bool {
	return differs(t.WantedTag(c.Device), c) || otherUser(c)
}

// Changed reports whether a tagged device has another tag in Autopilot than it was given. As in the rules of groups,
// case does not matter.
func Changed(c step.Case) bool {
	d := c.Device
	return d.State == device.Tagged && d.Tag != "" && !strings.EqualFold(d.Tag, c.Identity.GroupTag)
}

func differs(want string, c step.Case) bool { return want != "" && want != c.Identity.GroupTag }

func otherUser(c step.Case) bool {
	return c.Device.User != "" && !strings.EqualFold(c.Device.User, c.Identity.User)
}

// set is repeated after a crash or a lost answer; that does no harm.
func set(ctx context.Context, s Setter, want string, c step.Case) error {
	if differs(want, c) {
		if err := s.SetGroupTag(ctx, c.Identity.ID, want); err != nil {
			return err
		}
	}
	if otherUser(c) {
		return s.AssignUser(ctx, c.Identity.ID, c.Device.User, "")
	}
	return nil
}
