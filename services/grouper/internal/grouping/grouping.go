// Package grouping is the use case of the group stage: it takes the devices of an event as far as they can get now,
// step by step (tagging, membership, readiness), and says in the ledger when the others are due again. Repeating it
// does no harm: every step is decided by the device's present state, and committed by compare-and-set.
package grouping

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/membership"
	"taxiway.example/services/grouper/internal/readiness"
	"taxiway.example/services/grouper/internal/step"
	"taxiway.example/services/grouper/internal/tagging"
)

// Ledger is what the group stage needs of the ledger.
type Ledger interface {
	ledger.DeviceReader
	ledger.Mover
	ledger.Timeline
	ledger.Leases
}

// Tenants finds the configuration of a tenant; tenant.Directory does.
type Tenants interface {
	Get(id device.TenantID) (tenant.Tenant, error)
}

// Identities reads registered devices; autopilot.Client does.
type Identities interface {
	Identities(ctx context.Context, ids []string) map[string]autopilot.Lookup[autopilot.Identity]
	AllIdentities(ctx context.Context) iter.Seq2[autopilot.Identity, error]
}

// Autopilot is Autopilot and Entra for one tenant; autopilot.Client is.
type Autopilot interface {
	Identities
	tagging.Setter
	autopilot.Starter
	membership.Entra
	AllEntraDevices(ctx context.Context) iter.Seq2[autopilot.EntraDevice, error]
}

// Emitter publishes events; pipeline.Emitter does.
type Emitter interface {
	Emit(ctx context.Context, events ...event.Event) error
}

// Deps are the parts a Service works with, all of them required.
type Deps struct {
	Ledger   Ledger
	Tenants  Tenants
	Connect  func(device.TenantID) (Autopilot, error) // faults: TenantUnknown, TenantCredentialsRefused; nothing is sent
	Emitter  Emitter
	Registry prometheus.Registerer
	Now      func() time.Time
}

// Service takes devices through the group stage. It is safe for concurrent use.
type Service struct {
	Deps
	timings Timings
	checker *membership.Checker
	lists   lists
	metrics *metrics
}

// New returns a Service; an error says what is wrong with the timings.
func New(t Timings, d Deps) (*Service, error) {
	t = t.withDefaults()
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("timings: %w", err)
	}
	return &Service{
		Deps: d, timings: t, checker: membership.New(t.Groups, t.Members, d.Now), lists: newLists(t, d.Now),
		metrics: newMetrics(d.Registry),
	}, nil
}

// Handle works on one event.
func (s *Service) Handle(ctx context.Context, e event.Event) error {
	devices, err := s.Ledger.Devices(ctx, e.Tenant, e.Devices)
	if err != nil {
		return err
	}
	devices = slices.DeleteFunc(devices, func(d device.Device) bool {
		unasked := d.State == device.Ready && d.Due.IsZero()
		return d.State.Stage() != device.StageGroup || unasked
	})
	if len(devices) == 0 {
		return nil
	}
	cases := make([]step.Case, len(devices))
	for i, d := range devices {
		cases[i].Device = d
	}
	t, client, err := s.reach(e.Tenant)
	if err != nil {
		_, err = s.commit(ctx, cases, step.All(len(cases), step.Stays(err)))
		return err
	}
	return s.walk(ctx, t, client, cases)
}

func (s *Service) reach(id device.TenantID) (tenant.Tenant, Autopilot, error) {
	t, err := s.Tenants.Get(id)
	if err != nil {
		return t, nil, err
	}
	client, err := s.Connect(id)
	return t, client, err
}

// walk takes cases through the steps. Each step is committed before the next one begins.
func (s *Service) walk(ctx context.Context, t tenant.Tenant, client Autopilot, cases []step.Case) error {
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
		decide func([]step.Case) []step.Decision
	}{
		{device.Registered, func(c []step.Case) []step.Decision { return tagging.Decide(ctx, client, t, c) }},
		{device.Tagged, func(c []step.Case) []step.Decision { return s.group(ctx, client, t, c) }},
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
			if here, err = s.commit(ctx, here, at.decide(here)); err != nil {
				return err
			}
		}
		cases = append(others, here...)
	}
	return nil
}

// group is the membership step; where a tag has not arrived at Entra yet, Autopilot is asked to synchronise.
func (s *Service) group(ctx context.Context, client Autopilot, t tenant.Tenant, cases []step.Case) []step.Decision {
	decisions := s.checker.Decide(ctx, s.entra(client, t, cases), t, cases)
	pending := func(v step.Decision) bool { return fault.Is(v.Err, fault.GroupTagPending) }
	if slices.ContainsFunc(decisions, pending) {
		s.synchronise(ctx, client, t)
	}
	return decisions
}

func (s *Service) synchronise(ctx context.Context, client Autopilot, t tenant.Tenant) {
	autopilot.Syncer{Leases: s.Ledger, Pause: s.timings.Sync, Now: s.Now}.Ask(ctx, pipeline.Logger(ctx), t.ID, client)
}

// identify reads the Autopilot identities of all devices. Those that cannot be read now are committed as waiting and
// left out, as are ready devices, whose check is decided, and devices that start over because Autopilot does not have
// them any more.
func (s *Service) identify(
	ctx context.Context,
	client Autopilot,
	t tenant.Tenant,
	cases []step.Case,
) ([]step.Case, error) {
	found := s.lists.read(ctx, client, t, cases)
	var known, unknown []step.Case
	var decisions []step.Decision
	for _, c := range cases {
		l := found[c.Device.RegistrationID]
		decision := step.Stays(l.Err)
		switch {
		case c.Device.RegistrationID == "":
			decision = step.Stays(fault.New(fault.AutopilotNotRegistered, "the ledger has no registration id"))
		case fault.Is(l.Err, fault.GraphNotFound) && seen(c.Device):
			decision = deregistered(l.Err)
		case fault.Is(l.Err, fault.GraphNotFound):
			decision = step.Stays(s.vanished(ctx, c.Device, l))
		case l.Err == nil && c.Device.State == device.Ready:
			decision = step.Reached(device.Ready, ledger.Patch{})
		case l.Err == nil:
			c.Identity = l.Value
			known = append(known, c)
			continue
		}
		unknown = append(unknown, c)
		decisions = append(decisions, decision)
	}
	_, err := s.commit(ctx, unknown, decisions)
	return known, err
}

// seen reports whether Autopilot has shown the device before.
func seen(d device.Device) bool {
	return d.State != device.Registered || d.EntraDeviceID != "" || d.Tag != ""
}

// deregistered sends a device that Autopilot had and does not have any more back to be registered again.
func deregistered(err error) step.Decision {
	none := ""
	never := time.Time{}
	return step.Back(
		device.Collected,
		ledger.Patch{
			RegistrationID: &none, EntraDeviceID: &none, Tag: &none, AssignedUser: &none, Confirmed: &never,
		},
		fault.Wrap(err, fault.AutopilotDeregistered, "Autopilot does not have the device any more"),
	)
}

// vanished is what it means that Autopilot does not show a device that it never showed: for a while that it does not
// show it yet, then that somebody deleted it.
func (s *Service) vanished(ctx context.Context, d device.Device, l autopilot.Lookup[autopilot.Identity]) error {
	if d.Code == fault.GraphNotFound {
		_, since, err := s.since(ctx, d)
		if err == nil && s.Now().Sub(since) >= s.timings.Vanish {
			return fault.Wrap(
				l.Err,
				fault.AutopilotNotRegistered,
				"Autopilot has not shown the device since "+since.Format(time.RFC3339),
			)
		}
	}
	return fault.Wrap(l.Err, fault.GraphNotFound, "Autopilot does not show the device")
}

// since returns when the device came into its state, and since when it waits there with its code.
func (s *Service) since(ctx context.Context, d device.Device) (state, code time.Time, err error) {
	state = d.Created
	code = d.Created
	timeline, err := s.Ledger.Timeline(ctx, d.Tenant, d.ID)
	for _, t := range timeline {
		code = t.At
		if t.From != t.To {
			state = t.At
		}
	}
	return state, code, err
}
