package submission

import (
	"time"

	"taxiway.example/pkg/fault"
)

// sending is what a failed POST says about the devices in it.
type sending uint8

const (
	unknown  sending = iota // it may have happened: look before anything else
	postpone                // it did not happen, and not because of these devices: later, at no cost
	retry                   // it did not happen: later, at the cost of an attempt
	divide                  // it did not happen, and a row is to blame: find out which
	unsent                  // it did not happen, and will not as long as the process lasts
)

// sendingOf reads the error of a POST. Only an error that is known to mean "nothing happened" is taken for that.
func sendingOf(err error) sending {
	if fault.IsCancel(err) && !fault.Is(err) {
		return unsent
	}
	switch fault.CodeOf(err) {
	case fault.CodeUnknown, fault.GraphUnknownOutcome, fault.GraphUnexpected:
		return unknown
	case fault.GraphUnavailable, fault.LedgerUnavailable, fault.TenantUnknown:
		return postpone
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Permanent:
		return divide
	case fault.Throttled, fault.Denied, fault.NotFound:
		return postpone
	case fault.Transient:
		return retry
	}
	return unknown
}

// pause is how long a tenant waits after a refusal that is not about a device.
func (t Timings) pause(err error) time.Duration {
	if asked := fault.RetryAfterOf(err); asked > 0 {
		return asked
	}
	switch fault.KindOf(err) {
	case fault.Denied, fault.NotFound, fault.Permanent, fault.Invalid:
		return t.Denied
	}
	return t.Unavailable
}
