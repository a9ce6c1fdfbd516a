package grouper

import (
	"context"
	"slices"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/membership"
	"taxiway.example/services/grouper/internal/readiness"
	"taxiway.example/services/grouper/internal/step"
	"taxiway.example/services/grouper/internal/tagging"
)

// stage is the use case: it takes the devices of an event as far as they can get now, and says in the ledger when to look at
// the others again. Repeating it does no harm: every step is decided by the device's present state, and committed by
// compare-and-set.
type stage struct {
	ledger  Ledger
	tenants Tenants
	connect func(device.TenantID) (Autopilot, error)
	emitter Emitter
	checker *membership.Checker
	lists   lists
	metrics *metrics
	timings Timings
	now     func() time.Time
}

// handle works on one event.
func (s *stage) handle(ctx context.Context, e event.Event) error {
	devices, err := s.ledger.Devices(ctx, e.Tenant, e.Devices)
	if err != nil {
		return err
	}
	devices = slices.DeleteFunc(devices, func(d device.Device) bool { return d.State.Stage() != device.StageGroup })
	if len(devices) == 0 {
		return nil
	}
	cases := make([]step.Case, len(devices))
	for i, d := range devices {
		cases[i].Device = d
	}
	t, client, err := s.reach(e.Tenant)
	if err != nil {
		_, err = s.settle(ctx, cases, step.All(len(cases), step.Stays(err)))
		return err
	}
	return s.walk(ctx, t, client, cases)
}

func (s *stage) reach(id device.TenantID) (tenant.Tenant, Autopilot, error) {
	t, err := s.tenants.Get(id)
	if err != nil {
		return t, nil, err
	}
	client, err := s.connect(id)
	return t, client, err
}

// walk takes cases through the steps. Each step is committed before the next one begins.
func (s *stage) walk(ctx context.Context, t tenant.Tenant, client Autopilot, cases []step.Case) error {
	cases, err := s.identify(ctx, client, t, cases)
	if err != nil {
		return err
	}
	// Before the steps: a device that is tagged below still has the identity with its former tag.
	if cases, err = s.recheck(ctx, client, t, cases); err != nil {
		return err
	}
	for _, at := range []struct {
		state  device.State
		decide func([]step.Case) []step.Verdict
	}{
		{device.Registered, func(c []step.Case) []step.Verdict { return tagging.Decide(ctx, client, t, c) }},
		{device.Tagged, func(c []step.Case) []step.Verdict { return s.group(ctx, client, t, c) }},
		{device.Grouped, readiness.Decide},
	} {
		var here, others []step.Case
		for _, c := range cases {
			if c.Device.State == at.state {
				here = append(here, c)
			} else {
				others = append(others, c)
			}
		}
		if len(here) > 0 {
			if here, err = s.settle(ctx, here, at.decide(here)); err != nil {
				return err
			}
		}
		cases = append(others, here...)
	}
	return nil
}

// group is the membership step; where a tag has not arrived at Entra yet, Autopilot is asked to synchronise.
func (s *stage) group(ctx context.Context, client Autopilot, t tenant.Tenant, cases []step.Case) []step.Verdict {
	verdicts := s.checker.Decide(ctx, s.entra(client, t, cases), t, cases)
	pending := func(v step.Verdict) bool { return fault.Is(v.Err, fault.GroupTagPending) }
	if slices.ContainsFunc(verdicts, pending) {
		s.synchronise(ctx, client, t)
	}
	return verdicts
}

func (s *stage) synchronise(ctx context.Context, client Autopilot, t tenant.Tenant) {
	if s.timings.Sync > 0 {
		tagging.Syncer{Leases: s.ledger, Pause: s.timings.Sync, Now: s.now}.Ask(ctx, pipeline.Logger(ctx), t.ID, client)
	}
}

// identify reads the Autopilot identities of all devices. Those that cannot be read now are settled and left out.
func (s *stage) identify(ctx context.Context, client Autopilot, t tenant.Tenant, cases []step.Case) ([]step.Case, error) {
	found := s.lists.read(ctx, client, t, cases)
	var known, unknown []step.Case
	var verdicts []step.Verdict
	for _, c := range cases {
		l := found[c.Device.RegistrationID]
		switch {
		case c.Device.RegistrationID == "":
			l.Err = fault.New(fault.AutopilotNotRegistered, "the ledger has no registration id")
		case fault.Is(l.Err, fault.GraphNotFound):
			l.Err = s.vanished(ctx, c.Device, l)
		case l.Err == nil:
			c.Identity = l.Value
			known = append(known, c)
			continue
		}
		unknown, verdicts = append(unknown, c), append(verdicts, step.Stays(l.Err))
	}
	_, err := s.settle(ctx, unknown, verdicts)
	return known, err
}

// vanished is what it means that Autopilot does not show a device: for a while that it does not show it yet, then that
// somebody deleted it.
func (s *stage) vanished(ctx context.Context, d device.Device, l autopilot.Lookup[autopilot.Identity]) error {
	if d.Code == fault.GraphNotFound {
		_, since, err := s.since(ctx, d)
		if err == nil && s.now().Sub(since) >= s.timings.Vanish {
			return fault.Wrap(l.Err, fault.AutopilotNotRegistered, "Autopilot has not shown the device since "+since.Format(time.RFC3339))
		}
	}
	return fault.Wrap(l.Err, fault.GraphNotFound, "Autopilot does not show the device")
}

// since returns when the device came into its state, and since when it waits there with its code.
func (s *stage) since(ctx context.Context, d device.Device) (state, code time.Time, err error) {
	state, code = d.Created, d.Created
	timeline, err := s.ledger.Timeline(ctx, d.Tenant, d.ID)
	for _, t := range timeline {
		code = t.At
		if t.From != t.To {
			state = t.At
		}
	}
	return state, code, err
}
