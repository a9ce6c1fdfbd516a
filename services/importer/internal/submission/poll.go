package submission

import (
	"context"
	"slices"
	"strings"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/hwhash"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/telemetry"
)

// Poll takes the submission of a SubmissionDue event one step further: it asks Autopilot what became of its devices.
func (s *Service) Poll(ctx context.Context, e event.Event) error {
	sub, err := s.Ledger.Submission(ctx, e.Tenant, e.Submission)
	switch {
	case fault.Is(err, fault.RequestNotFound):
		return nil
	case err != nil:
		return err
	case sub.State != ledger.SubmissionOpen && sub.State != ledger.SubmissionPosted:
		return nil
	}
	devices, err := s.devices(ctx, sub)
	if err != nil {
		return err
	}
	waiting := remaining(sub, devices)
	if len(waiting) == 0 {
		sub = complete(sub, s.Now())
		sub.Due = s.Now().Add(spread(s.Timings.Cleanup, sub.ID))
		_, err := s.advance(ctx, ledger.SubmissionChange{Submission: sub})
		return err
	}
	client, records, err := s.read(ctx, sub, waiting)
	switch {
	case fault.IsCancel(err) && !fault.Is(err):
		return err
	case err != nil:
		return s.putOff(ctx, sub, waiting, err)
	}
	return s.review(ctx, client, sub, devices, records)
}

// devices returns the devices that the submission began with.
func (s *Service) devices(ctx context.Context, sub ledger.Submission) ([]device.Device, error) {
	all := make([]string, len(sub.Items))
	for i, item := range sub.Items {
		all[i] = item.Device
	}
	return s.Ledger.Devices(ctx, sub.Tenant, all)
}

// remaining returns the devices that are still part of the submission. Whoever moved the others has taken them out of
// it.
func remaining(sub ledger.Submission, devices []device.Device) []device.Device {
	return slices.DeleteFunc(slices.Clone(devices), func(d device.Device) bool {
		return d.Submission != sub.ID || d.State != device.Submitting && d.State != device.Submitted
	})
}

// read asks Autopilot for the submission's records, and for others with the serial number of a device that waits and
// none of whose records is known.
func (s *Service) read(
	ctx context.Context, sub ledger.Submission, waiting []device.Device,
) (Autopilot, []autopilot.Imported, error) {
	client, err := s.Connect(sub.Tenant)
	if err != nil {
		return nil, nil, err
	}
	s.metrics.polls.WithLabelValues().Inc()
	records, err := client.Imported(ctx, s.wanted(sub, waiting))
	return client, records, err
}

func (s *Service) wanted(sub ledger.Submission, waiting []device.Device) autopilot.Wanted {
	// A list that began before the POST says nothing about it.
	w := autopilot.Wanted{ImportID: sub.ImportID, Since: s.Now().Add(-s.Timings.PollFirst / 2)}
	if sub.Posted.After(w.Since) {
		w.Since = sub.Posted
	}
	known := map[string]bool{}
	for _, i := range sub.Items {
		known[i.Device] = i.RecordID != ""
		if i.RecordID != "" && !i.Deleted {
			w.IDs = append(w.IDs, i.RecordID)
		}
	}
	for _, d := range waiting {
		if !known[d.ID] && d.Serial.Placeholder() == hwhash.NoPlaceholder {
			w.Serials = append(w.Serials, d.Serial)
		}
	}
	return w
}

// putOff makes the submission due later, because its tenant cannot be asked now. A reason that may need a person is
// shown on the devices.
func (s *Service) putOff(ctx context.Context, sub ledger.Submission, waiting []device.Device, why error) error {
	report(ctx, "asking about an import was put off", why)
	sub.Due = s.Now().Add(spread(s.Timings.pause(why), sub.ID))
	sub.Code = fault.CodeOf(why)
	c := ledger.SubmissionChange{Submission: sub}
	switch fault.KindOf(why) {
	case fault.Throttled:
		s.metrics.waits.WithLabelValues().Inc()
	case fault.Denied, fault.NotFound, fault.Permanent, fault.Invalid:
		for _, d := range waiting {
			if d.Code != fault.CodeOf(why) {
				c.Moves = append(c.Moves, move(d, d.State, time.Time{}, fault.CodeOf(why), fault.DetailOf(why)))
			}
		}
	}
	_, err := s.advance(ctx, c)
	return err
}

// review decides about each device that waits, commits the decisions and announces the devices that are registered now.
func (s *Service) review(
	ctx context.Context, client Autopilot, sub ledger.Submission, devices []device.Device, records []autopilot.Imported,
) error {
	p := &poll{Service: s, client: client, sub: sub, now: s.Now(), records: map[string]string{}}
	ours := own(records, sub)
	p.seen = len(ours) > 0
	p.strays = strays(records, ours)
	mine := match(sub.Items, devices, ours)
	for _, d := range p.turn(remaining(sub, devices)) {
		p.decide(ctx, d, mine[d.ID])
	}
	applied, err := s.advance(ctx, p.change(ctx))
	if err != nil || !applied {
		return err
	}
	p.count()
	return s.announce(ctx, sub, p.registered)
}

// turn puts the devices in an order in which, from poll to poll, others come first: a poll makes only so many searches.
func (p *poll) turn(waiting []device.Device) []device.Device {
	slices.SortFunc(waiting, func(a, b device.Device) int { return strings.Compare(a.ID, b.ID) })
	first := p.sub.Polls * p.Timings.MaxLookups % len(waiting)
	return slices.Concat(waiting[first:], waiting[:first])
}

// announce tells the grouper. When that fails the devices' due time in the ledger does it.
func (s *Service) announce(ctx context.Context, sub ledger.Submission, registered []device.Device) error {
	if len(registered) == 0 {
		return nil
	}
	e := event.ForDevices(event.DevicesRegistered, event.Source(by), sub.Tenant, ids(registered), s.Now())
	if e.Batch = registered[0].Batch; slices.ContainsFunc(
		registered,
		func(d device.Device) bool { return d.Batch != e.Batch },
	) {
		e.Batch = ""
	}
	if err := s.Emitter.Emit(ctx, e); err != nil {
		pipeline.Logger(ctx).WarnContext(ctx, "registered devices were not announced; the dispatcher will",
			telemetry.KeyError, err)
	}
	return nil
}
