package deadletter

import (
	"context"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// decision is what an operator does with a device that no service can go on with.
type decision struct {
	action string
	can    func(device.State) bool
	to     device.State
	refuse string // of a device in another state
}

var (
	releasing = decision{
		action: "device.release",
		can:    func(s device.State) bool { return s == device.Held },
		to:     device.Collected,
		refuse: "Only a held device can be released; this one is %s.",
	}
	retiring = decision{
		action: "device.retire",
		can:    func(s device.State) bool { return s != device.Retired && s.CanBecome(device.Retired) },
		to:     device.Retired,
		refuse: "A device cannot be retired while it is %s.",
	}
)

// Release sends a held device of the operator's tenant on its way again, from the start, and returns it as it is then.
// An unknown device is a fault.RequestNotFound; one that is not held, or that was changed meanwhile, a
// fault.DeviceWrongState; no reason a fault.RequestInvalid.
func (s *Service) Release(ctx context.Context, by Operator, id, reason string) (device.Device, error) {
	return s.decide(ctx, by, id, reason, releasing)
}

// Retire takes a device of the operator's tenant out of service and returns it as it is then: it contradicts no other
// device any more. Nothing is done at Microsoft. A device whose import is under way, or that is retired, is a
// fault.DeviceWrongState; other errors are those of Release.
func (s *Service) Retire(ctx context.Context, by Operator, id, reason string) (device.Device, error) {
	return s.decide(ctx, by, id, reason, retiring)
}

func (s *Service) decide(ctx context.Context, by Operator, id, reason string, how decision) (device.Device, error) {
	reason, err := checkReason(reason)
	if err != nil {
		return device.Device{}, err
	}
	d, err := s.device(ctx, by, id)
	if err != nil {
		return device.Device{}, err
	}
	if !how.can(d.State) {
		return device.Device{}, fault.Newf(fault.DeviceWrongState, how.refuse, d.State)
	}
	if err := s.move(ctx, by, d, how.to); err != nil {
		return device.Device{}, err
	}
	after, cancel := detached(ctx)
	defer cancel()
	// When the entry is lost, what was decided stands: the timeline says by whom.
	_ = s.audit(after, by, ledger.AuditEntry{
		Tenant: by.Tenant, Action: how.action, Object: d.ID, Reason: reason, Outcome: string(how.to),
	})
	return s.device(ctx, by, id)
}

func (s *Service) move(ctx context.Context, by Operator, d device.Device, to device.State) error {
	m := ledger.Move{Tenant: by.Tenant, Device: d.ID, Version: d.Version, To: to, By: by.actor()}
	if to == device.Collected {
		m.Due = s.deps.Now().UTC()
	}
	applied, err := s.deps.Ledger.Move(ctx, m)
	if err == nil && !applied[0] {
		err = fault.New(fault.DeviceWrongState, "The device was changed meanwhile.")
	}
	return err
}

func (s *Service) device(ctx context.Context, by Operator, id string) (device.Device, error) {
	found, err := s.deps.Ledger.Devices(ctx, by.Tenant, []string{id})
	if err != nil {
		return device.Device{}, err
	}
	if len(found) == 0 {
		return device.Device{}, fault.New(fault.RequestNotFound, "There is no such device.")
	}
	return found[0], nil
}
