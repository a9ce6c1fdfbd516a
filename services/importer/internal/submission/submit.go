package submission

import (
	"context"
	"time"

	"github.com/google/uuid"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
)

// Submit sends devices of a DevicesCollected event to Autopilot, in one import call. Those that do not fit into it are
// due at once. Devices that are not Collected (any more) are left alone.
func (s *Service) Submit(ctx context.Context, e event.Event) error {
	found, err := s.Ledger.Devices(ctx, e.Tenant, e.Devices)
	if err != nil {
		return err
	}
	devices := submittable(found, e)
	if len(devices) == 0 {
		return nil
	}
	t, err := s.Tenants.Get(e.Tenant)
	if err != nil {
		return s.apply(ctx, s.all(devices, device.Dead, time.Time{}, err))
	}
	// A shut gate is asked for here, so that a throttled tenant does not begin submissions in vain.
	wait, err := s.Ledger.Take(ctx, t.ID, "import", 0, t.Limits.WriteRate(), s.Now())
	if err != nil {
		return err
	}
	if wait > 0 {
		s.metrics.waits.WithLabelValues().Inc()
		shut := fault.New(fault.GraphThrottled, "the tenant's gate is shut")
		return s.apply(ctx, s.all(devices, device.Collected, s.Now().Add(spread(wait, e.ID)), shut))
	}
	return s.begin(ctx, t, devices)
}

// submittable returns the collected devices in the order of the event. A device that waits for something since the
// event was made is not due yet: the dispatcher makes a new event when it is.
func submittable(found []device.Device, e event.Event) []device.Device {
	byID := make(map[string]device.Device, len(found))
	for _, d := range found {
		waits := d.Code != "" && e.Time.Add(clockSlack).Before(d.Updated)
		if d.State == device.Collected && !waits {
			byID[d.ID] = d
		}
	}
	var devices []device.Device
	for _, id := range e.Devices {
		if d, ok := byID[id]; ok {
			devices = append(devices, d)
			delete(byID, id)
		}
	}
	return devices
}

// clockSlack is by how much an event may look older than the change that it was made after.
const clockSlack = time.Second

// all moves all devices for the same reason.
func (s *Service) all(devices []device.Device, to device.State, due time.Time, why error) []ledger.Move {
	moves := make([]ledger.Move, len(devices))
	for i, d := range devices {
		moves[i] = move(d, to, due, fault.CodeOf(why), fault.DetailOf(why))
	}
	return moves
}

// begin commits a submission of some of the devices and sends it.
func (s *Service) begin(ctx context.Context, t tenant.Tenant, devices []device.Device) error {
	size := min(t.Limits.ImportSize, event.MaxChunk, autopilot.MaxImport)
	chunk, rest := choose(devices, size)
	rows, moves, err := s.prepare(ctx, t, chunk)
	if err != nil {
		return err
	}
	now := s.Now()
	for _, d := range rest {
		m := move(d, device.Collected, now, d.Code, d.Detail)
		if d.ChunkLimit == 0 && size < event.MaxChunk { // so that the dispatcher forms chunks that fit
			m.Set.ChunkLimit = &size
		}
		moves = append(moves, m)
	}
	if err := s.apply(ctx, moves); err != nil {
		return err
	}
	if len(rest) > 0 {
		s.Notify()
	}
	if len(rows) == 0 {
		return nil
	}
	sub := ledger.Submission{
		ID: uuid.Must(uuid.NewV7()).String(), Tenant: t.ID, ImportID: uuid.NewString(), State: ledger.SubmissionOpen,
		Version: 1, Due: now.Add(s.Timings.Claim), Created: now,
	}
	won, err := s.Ledger.Begin(ctx, sub, refs(chunk, rows), by)
	if err != nil {
		s.unsent.add(sub) // it may have begun
		return err
	}
	if len(won) == 0 {
		return nil
	}
	return s.post(pipeline.With(ctx, telemetry.KeySubmission, sub.ID), sub, won, rows)
}

// prepare makes the rows of the import, by device id, and the moves of the devices that cannot be sent.
func (s *Service) prepare(
	ctx context.Context, t tenant.Tenant, chunk []device.Device,
) (map[string]autopilot.ImportDevice, []ledger.Move, error) {
	captures, err := s.Ledger.Captures(ctx, t.ID, ids(chunk))
	if err != nil {
		return nil, nil, err
	}
	rows := make(map[string]autopilot.ImportDevice, len(chunk))
	var dead []ledger.Move
	for _, d := range chunk {
		raw, ok := captures[d.ID]
		if !ok {
			dead = append(
				dead,
				move(d, device.Dead, time.Time{}, fault.DeviceCaptureErased, "there is no stored capture to send"),
			)
			continue
		}
		hash, err := hwhash.FromCanonical(raw)
		if err != nil {
			dead = append(
				dead,
				move(d, device.Dead, time.Time{}, fault.HashMalformed, "the stored capture cannot be read"),
			)
			continue
		}
		rows[d.ID] = autopilot.ImportDevice{
			Serial: d.Serial, ProductKeyID: d.ProductKeyID, Hash: hash,
			GroupTag: t.WantedTag(d), // sent along, it spares a change afterwards
			User:     d.User,
		}
	}
	return rows, dead, nil
}

func refs(chunk []device.Device, rows map[string]autopilot.ImportDevice) []ledger.Ref {
	var all []ledger.Ref
	for _, d := range chunk {
		if _, ok := rows[d.ID]; ok {
			all = append(all, ledger.Ref{ID: d.ID, Version: d.Version})
		}
	}
	return all
}
