package grouping

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/step"
	"taxiway.example/services/grouper/internal/tagging"
)

// longestRest is the longest rest of a device whose tag does not stay.
const longestRest = 24 * time.Hour

// recheck sends tagged devices that Autopilot shows with another tag back to be tagged anew, and returns the others.
// Nobody can tell a tag that a person or another system keeps changing from one that Autopilot is slow to show, so such
// a device never dies of it and no attempt is counted. It rests instead, twice as long each time, up to a day, so that
// a fight costs little; and it is overdue once it rests for longer than the alarm time.
func (s *Service) recheck(
	ctx context.Context,
	client Autopilot,
	t tenant.Tenant,
	cases []step.Case,
) (others []step.Case, err error) {
	var changed []step.Case
	var decisions []step.Decision
	for _, c := range cases {
		if !tagging.Changed(c) {
			others = append(others, c)
			continue
		}
		pause, err := s.rest(ctx, c.Device)
		if err != nil {
			return nil, err
		}
		reason := fault.Newf(fault.GroupTagPending, "the tag was set to %q, but Autopilot shows %q: somebody changed "+
			"it, or Autopilot is slow to show it",
			c.Device.Tag, c.Identity.GroupTag).
			After(pause)
		unconfirmed := ""
		changed = append(changed, c)
		decisions = append(decisions, step.Back(device.Registered, ledger.Patch{Tag: &unconfirmed}, reason))
	}
	if len(changed) == 0 {
		return others, nil
	}
	s.synchronise(ctx, client, t) // in case Autopilot is slow
	_, err = s.commit(ctx, changed, decisions)
	return others, err
}

// rest is the pause of a device that goes back to be tagged anew: it doubles with each time that it went back before.
func (s *Service) rest(ctx context.Context, d device.Device) (time.Duration, error) {
	timeline, err := s.Ledger.Timeline(ctx, d.Tenant, d.ID)
	pause := s.timings.First
	for _, t := range timeline {
		if t.From == device.Tagged && t.To == device.Registered && pause < longestRest {
			pause *= 2
		}
	}
	return min(pause, max(longestRest, s.timings.First)), err
}
