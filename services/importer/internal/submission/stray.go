package submission

import (
	"context"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// unmatched decides about a device without a record of this submission. Where the process died between POST and commit,
// and the service does not keep import ids, the device's record can be told by its serial number only.
//
// Such a record is not certain to be ours: another tool may have left it, and records bear no date. So by itself it
// decides nothing. While it is in flight the device waits. If it says that the device is registered, the device is
// looked for among the registered ones. An error may be that of another import and buries nothing: once
// Timings.Lost has passed the device is sent again, and the answer then is its own. The same hardware twice in the
// service's hands is harmless, it answers 806.
func (p *poll) unmatched(ctx context.Context, d device.Device) {
	switch p.stray(ctx, d) {
	case strayInFlight:
		p.stay(d, d.State, fault.GraphUnknownOutcome)
	case strayRegistered:
		p.find(ctx, d, search{
			why: fault.AutopilotAlreadyHere, limit: p.Timings.Lost, meaning: autopilot.MeaningRegistered,
			otherwise: func(_ context.Context, d device.Device, _ error) (ledger.Move, error) { return p.lost(d), nil },
		})
		p.seen = p.seen || len(p.registered) > 0
	default:
		p.missing(d)
	}
}

// stray is what the records say that share no more than a device's serial number.
type stray uint8

const (
	strayNone stray = iota
	strayInFlight
	strayRegistered
)

// stray reads them. A placeholder names no device, nor does a serial number that another device of ours has: then the
// record may be that device's. A record that never gets done is another tool's, most likely; it is waited for no longer
// than a registered device that does not show up.
func (p *poll) stray(ctx context.Context, d device.Device) stray {
	says := strayNone
	for _, r := range p.strays[d.Serial.Fold()] {
		switch m := r.Meaning(); {
		case m == autopilot.MeaningInFlight && p.now.Sub(p.posted()) < p.Timings.Invisible:
			says = max(says, strayInFlight)
		case m == autopilot.MeaningRegistered || m == autopilot.MeaningAlreadyHere:
			says = strayRegistered
		}
	}
	if says == strayNone || p.recorded(d) {
		return strayNone
	}
	devices, err := p.Ledger.BySerial(ctx, d.Tenant, d.Serial)
	if err != nil {
		p.failed = err
		return strayInFlight // not now
	}
	if len(devices) != 1 || devices[0].ID != d.ID {
		return strayNone
	}
	return says
}

// recorded reports whether the device's own record is known, and is only not listed now.
func (p *poll) recorded(d device.Device) bool {
	for _, i := range p.sub.Items {
		if i.Device == d.ID {
			return i.RecordID != ""
		}
	}
	return false
}

// posted is when the import was sent, or may have been.
func (p *poll) posted() time.Time {
	if p.sub.Posted.IsZero() {
		return p.sub.Created
	}
	return p.sub.Posted
}
