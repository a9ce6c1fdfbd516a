package submission

import (
	"context"
	"fmt"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
)

// ghost decides about a device that Autopilot calls registered here and does not show, although it was synchronised.
// Microsoft's first remedy is another import (Microsoft page "Manually register devices with Windows Autopilot"). After
// that only Microsoft can help.
func (p *poll) ghost(ctx context.Context, d device.Device, refused error) (ledger.Move, error) {
	if refused != nil {
		detail := "Autopilot said that the device is registered here, and refuses the search for it: "
		return move(d, device.Dead, time.Time{}, fault.CodeOf(refused), detail+fault.DetailOf(refused)), nil
	}
	repeated, err := p.importedAgain(ctx, d)
	switch {
	case err != nil:
		return ledger.Move{}, err
	case !repeated:
		detail := fmt.Sprintf("Autopilot did not show the device for %s; it is imported again.", p.Timings.Invisible)
		return p.again(d, p.now, fault.AutopilotAlreadyHere, detail), nil
	}
	return move(d, device.Dead, time.Time{}, fault.AutopilotGhost, fmt.Sprintf(
		"Autopilot said that the device is registered here, and did not show it for %s, nor after it was imported again.",
		p.Timings.Invisible)), nil
}

// importedAgain reports whether the device had this remedy since it was last sent by somebody, which its timeline says.
func (p *poll) importedAgain(ctx context.Context, d device.Device) (bool, error) {
	timeline, err := p.Ledger.Timeline(ctx, d.Tenant, d.ID)
	repeated := false
	for _, t := range timeline {
		if t.To == device.Collected && t.From != device.Collected {
			ours := t.From == device.Submitting || t.From == device.Submitted
			repeated = ours && (repeated || t.Code == fault.AutopilotAlreadyHere)
		}
	}
	return repeated, err
}

// synchronise has the tenant synchronised, at most once each Timings.Sync.
func (p *poll) synchronise(ctx context.Context) {
	autopilot.Syncer{Leases: p.Ledger, Pause: p.Timings.Sync, Now: p.Now}.
		Ask(ctx, pipeline.Logger(ctx), p.sub.Tenant, p.client)
}
