package deadletter

import (
	"context"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// Decision is what an operator decides about a device, and why.
type Decision struct {
	Device string
	Reason string
	DryRun bool // say what would be, and change nothing
}

// Release sends a held device of the operator's tenant on its way again, from the start, and returns it as it is then;
// see ledger.Decider, also for the errors. No reason is a fault.RequestInvalid.
func (s *Service) Release(ctx context.Context, by Operator, d Decision, bothExist bool) (device.Device, error) {
	checked, err := s.check(by, d)
	if err != nil {
		return device.Device{}, err
	}
	return s.deps.Ledger.ReleaseDevice(ctx, checked, bothExist)
}

// Retire takes a device of the operator's tenant out of service and returns it as it is then: it contradicts no other
// device any more. Nothing is done at Microsoft. The errors are those of Release.
func (s *Service) Retire(ctx context.Context, by Operator, d Decision) (device.Device, error) {
	checked, err := s.check(by, d)
	if err != nil {
		return device.Device{}, err
	}
	return s.deps.Ledger.RetireDevice(ctx, checked)
}

// Replace retires a device and releases the one that is held against it, in one step. The errors are those of Release.
func (s *Service) Replace(ctx context.Context, by Operator, d Decision, with string) (ledger.Replacement, error) {
	checked, err := s.check(by, d)
	if err != nil {
		return ledger.Replacement{}, err
	}
	if !ledger.IsText(with) {
		return ledger.Replacement{}, fault.New(fault.RequestInvalid, "The id is UTF-8 without NUL.")
	}
	return s.deps.Ledger.ReplaceDevice(ctx, checked, with)
}

// Change gives a device of the operator's tenant another group tag or user and returns it as it is then. The errors are
// those of Release; what is not carried out is a fault.DeviceDiffers.
func (s *Service) Change(ctx context.Context, by Operator, d Decision, asked device.Request) (device.Device, error) {
	checked, err := s.check(by, d)
	if err != nil {
		return device.Device{}, err
	}
	asked.Operator = true
	return s.deps.Ledger.ChangeDevice(ctx, checked, asked)
}

func (s *Service) check(by Operator, d Decision) (ledger.Decision, error) {
	reason, err := checkReason(d.Reason)
	return ledger.Decision{
		Tenant: by.Tenant, Device: d.Device, By: by.actor(), Reason: reason, Due: s.deps.Now().UTC(), DryRun: d.DryRun,
	}, err
}
