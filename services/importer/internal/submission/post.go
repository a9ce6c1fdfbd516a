package submission

import (
	"context"
	"errors"
	"slices"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/importer/internal/outcome"
)

// What a process that is told to stop still does, within service.ShutdownGrace: a POST under way ends within postGrace,
// and what is known of it then is committed within commitLimit.
const (
	postGrace   = 20 * time.Second
	commitLimit = 10 * time.Second
)

// lingering returns a context that ends postGrace after ctx: breaking off a POST does not undo it, it only loses the
// answer.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	long, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(postGrace, cancel) })
	return long, func() {
		stop()
		cancel()
	}
}

// post sends a submission that has just begun and commits what is known of it then.
func (s *Service) post(
	ctx context.Context,
	sub ledger.Submission,
	won []device.Device,
	rows map[string]autopilot.ImportDevice,
) error {
	long, end := lingering(ctx)
	defer end()
	held, c := s.hold(long, sub)
	err := ctx.Err() // told to stop before anything was sent
	var records []autopilot.Imported
	if err == nil {
		records, err = c.send(held, won, rows)
	}
	sub = c.release()
	commit, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	if err == nil {
		if mine := answered(asSent(won, rows), records); len(mine) > 0 {
			return s.accepted(commit, sub, won, mine)
		}
		err = fault.New(fault.GraphUnknownOutcome, "the answer to the import names none of its devices")
	}
	switch what := sendingOf(err); what {
	case unsent:
		s.metrics.submissions.WithLabelValues(resultRefused).Inc()
		if _, failed := s.withdraw(commit, sub, won); failed != nil {
			report(ctx, "an import that was not sent could not be taken back yet", failed)
			s.unsent.add(sub)
		}
		return err
	case unknown:
		return s.uncertain(commit, sub, err)
	default:
		failed := s.refused(commit, sub, won, what, err)
		if failed != nil {
			s.unsent.add(sub)
		}
		return failed
	}
}

// send POSTs the devices won, unless the claim has run out, as when the process stood still.
func (c *claim) send(
	ctx context.Context,
	won []device.Device,
	rows map[string]autopilot.ImportDevice,
) ([]autopilot.Imported, error) {
	sub := c.submission()
	client, err := c.Connect(sub.Tenant)
	if err != nil {
		return nil, err
	}
	if c.left() <= 0 {
		return nil, errRunOut
	}
	devices := make([]autopilot.ImportDevice, len(won))
	for i, d := range won {
		devices[i] = rows[d.ID]
	}
	records, err := client.Import(ctx, devices, sub.ImportID)
	if fault.IsCancel(err) && !fault.Is(err) && errors.Is(context.Cause(ctx), errRunOut) {
		err = errRunOut
	}
	return records, err
}

// asSent returns the devices with the serial numbers that were sent, whatever a newer capture says.
func asSent(won []device.Device, rows map[string]autopilot.ImportDevice) []device.Device {
	sent := slices.Clone(won)
	for i, d := range sent {
		sent[i].Serial = rows[d.ID].Serial
	}
	return sent
}

// accepted commits that Autopilot has the import, with the ids of its records. Devices that the answer does not name
// stay Submitting and are looked for.
func (s *Service) accepted(
	ctx context.Context,
	sub ledger.Submission,
	won []device.Device,
	records map[string][]autopilot.Imported,
) error {
	s.metrics.submissions.WithLabelValues(resultPosted).Inc()
	now := s.Now()
	sub.State = ledger.SubmissionPosted
	sub.Posted = now
	sub.Due = now.Add(spread(s.Timings.poll(0), sub.ID))
	sub.Code = ""
	c := ledger.SubmissionChange{Submission: sub}
	for _, d := range won {
		if mine := records[d.ID]; len(mine) > 0 {
			c.Items = append(c.Items, ledger.Item{Device: d.ID, RecordID: outcome.Decisive(mine).ID})
			c.Moves = append(c.Moves, move(d, device.Submitted, time.Time{}, "", ""))
		}
	}
	_, err := s.advance(ctx, c)
	return err
}

// uncertain notes that the import has to be looked for.
func (s *Service) uncertain(ctx context.Context, sub ledger.Submission, why error) error {
	s.metrics.submissions.WithLabelValues(resultUnknown).Inc()
	report(ctx, "nobody knows whether an import happened; it will be looked for", why)
	now := s.Now()
	sub.Posted = now
	sub.Due = now.Add(spread(s.Timings.poll(0), sub.ID))
	sub.Code = fault.GraphUnknownOutcome
	_, err := s.advance(ctx, ledger.SubmissionChange{Submission: sub})
	return err
}

// refused gives the devices back: the import did not happen.
func (s *Service) refused(
	ctx context.Context,
	sub ledger.Submission,
	won []device.Device,
	what sending,
	why error,
) error {
	s.metrics.submissions.WithLabelValues(resultRefused).Inc()
	report(ctx, "an import was refused", why)
	now := s.Now()
	sub.State = ledger.SubmissionClosed
	sub.Due = time.Time{}
	sub.Code = fault.CodeOf(why)
	c := ledger.SubmissionChange{Submission: sub}
	switch what {
	case divide:
		c.Moves = s.divided(won, now, why)
	case retry:
		for _, d := range won {
			c.Moves = append(c.Moves, s.again(d, now, fault.CodeOf(why), fault.DetailOf(why)))
		}
	default:
		if fault.KindOf(why) == fault.Throttled {
			s.metrics.waits.WithLabelValues().Inc()
		}
		c.Moves = s.all(won, device.Collected, now.Add(spread(s.Timings.pause(why), sub.ID)), why)
	}
	_, err := s.advance(ctx, c)
	if err == nil && what == divide {
		s.Notify()
	}
	return err
}

// divided isolates the row that Graph refuses: each half is sent on its own, until the row stands alone.
func (s *Service) divided(won []device.Device, now time.Time, why error) []ledger.Move {
	if len(won) == 1 {
		return s.all(won, device.Dead, time.Time{}, why)
	}
	half := (len(won) + 1) / 2
	moves := s.all(won, device.Collected, now, why)
	for i := range moves {
		moves[i].Set.ChunkLimit = &half
	}
	return moves
}
