package grouping

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/services/grouper/internal/step"
)

// by is who moves devices, in the timelines and in the events.
const by = event.Grouper

// commitLimit bounds a commit that outlives the work it belongs to.
const commitLimit = 10 * time.Second

// commit commits what a step decided and returns the cases that moved on. Devices that something else has moved
// meanwhile are left alone. Work that was told to stop leaves no trace.
func (s *Service) commit(ctx context.Context, cases []step.Case, decisions []step.Decision) ([]step.Case, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := s.Now()
	moves := make([]ledger.Move, len(cases))
	for i, c := range cases {
		moves[i] = s.move(c.Device, decisions[i], now)
		if decisions[i].Err != nil && moves[i].To != device.Dead {
			moves[i].Due = now.Add(spread(s.pause(c.Device, decisions[i].Err, now), cases[0].Device.ID))
		}
	}
	if err := s.announce(ctx, cases, moves, now); err != nil {
		return nil, err
	}
	// What was announced or written to Autopilot is committed even when we are told to stop just now.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	applied, err := s.Ledger.Move(last, moves...)
	if err != nil {
		return nil, err
	}
	var moved []step.Case
	var waiting []ledger.Move
	for i, m := range moves {
		if !applied[i] {
			continue
		}
		s.metrics.check(m.To, m.Code)
		if decisions[i].Err == nil {
			moved = append(moved, after(cases[i], m))
		} else if m.To.InFlight() && now.Sub(cases[i].Device.Created) >= s.timings.Alarm {
			waiting = append(waiting, m)
		}
	}
	s.alarm(ctx, cases, waiting)
	return moved, nil
}

// move turns a decision into a step of the ledger; the due time of a wait is set by commit.
func (s *Service) move(d device.Device, v step.Decision, now time.Time) ledger.Move {
	m := ledger.Move{
		Tenant:   d.Tenant,
		Device:   d.ID,
		Version:  d.Version,
		To:       d.State,
		By:       by,
		Attempts: d.Attempts,
		Set:      v.Set,
	}
	if v.Err == nil {
		m.To = v.To
		m.Attempts = 0
		if m.To == device.Ready {
			m.Set.Confirmed = &now
		} else if m.To.Stage() == device.StageGroup {
			m.Due = now.Add(s.timings.Grace)
		}
		return m
	}
	if v.To != "" {
		m.To = v.To
	}
	if m.To == device.Ready { // only its check waits
		return m
	}
	m.Code = fault.CodeOf(v.Err)
	m.Detail = fault.DetailOf(v.Err)
	switch consequenceOf(v.Err) {
	case dead:
		m.To = device.Dead
		return m
	case attempt:
		if m.Attempts++; m.Attempts >= s.timings.MaxAttempts {
			m.To = device.Dead
			m.Code = fault.DeviceAttemptsUsedUp
			m.Detail = fmt.Sprintf(
				"%d attempts, the last one ended with %s. %s",
				m.Attempts,
				fault.CodeOf(v.Err),
				m.Detail,
			)
			return m
		}
	}
	return m
}

// consequence is what an error means for a device.
type consequence uint8

const (
	wait    consequence = iota // costs nothing
	attempt                    // costs an attempt
	dead                       // will never work
)

// consequenceOf reads an error. Slow is not failed: nothing that time or an administrator can heal ends a device's way.
func consequenceOf(err error) consequence {
	switch fault.CodeOf(err) {
	case fault.TenantUnknown, fault.GraphUnavailable, fault.LedgerUnavailable, fault.GraphNotFound:
		return wait
	}
	switch fault.KindOf(err) {
	case fault.Throttled, fault.Pending, fault.Denied:
		return wait
	case fault.Transient, fault.Bug:
		return attempt
	}
	return dead
}

func (s *Service) pause(d device.Device, err error, now time.Time) time.Duration {
	code := fault.CodeOf(err)
	if fault.KindOf(err) == fault.Denied || code == fault.TenantUnknown {
		return s.timings.Denied
	}
	return max(fault.RetryAfterOf(err), s.timings.next(d, code, now))
}

// announce publishes the devices that become ready before the ledger says so: if this process dies in between they are
// announced twice, which is better than never.
func (s *Service) announce(ctx context.Context, cases []step.Case, moves []ledger.Move, now time.Time) error {
	var ready []string
	batch := ""
	for i, m := range moves {
		if m.To != device.Ready || cases[i].Device.State == device.Ready {
			continue
		}
		if len(ready) == 0 {
			batch = cases[i].Device.Batch
		} else if batch != cases[i].Device.Batch {
			batch = ""
		}
		ready = append(ready, m.Device)
	}
	var events []event.Event
	for chunk := range slices.Chunk(ready, event.MaxChunk) {
		e := event.ForDevices(event.DevicesReady, event.Source(by), moves[0].Tenant, chunk, now)
		e.Batch = batch
		events = append(events, e)
	}
	return s.Emitter.Emit(ctx, events...)
}

// after is a case as its move left it.
func after(c step.Case, m ledger.Move) step.Case {
	d := &c.Device
	d.State = m.To
	d.Version = d.Version + 1
	d.Due = m.Due
	d.Code = m.Code
	d.Detail = m.Detail
	d.Attempts = m.Attempts
	if m.Set.Tag != nil {
		d.Tag = *m.Set.Tag
	}
	if m.Set.AssignedUser != nil {
		d.AssignedUser = *m.Set.AssignedUser
	}
	if m.Set.EntraDeviceID != nil {
		d.EntraDeviceID = *m.Set.EntraDeviceID
	}
	return c
}

// alarm counts and logs devices that will have been in their state for too long by the next check. Their age in the
// state costs a query each, so only devices that are old enough are asked about.
func (s *Service) alarm(ctx context.Context, cases []step.Case, waiting []ledger.Move) {
	type reason struct {
		state device.State
		code  fault.Code
	}
	late := map[reason]int{}
	for _, m := range waiting {
		at := slices.IndexFunc(cases, func(c step.Case) bool { return c.Device.ID == m.Device })
		if since, _, err := s.since(ctx, cases[at].Device); err != nil || m.Due.Sub(since) < s.timings.Alarm {
			continue
		}
		late[reason{m.To, m.Code}]++
		s.metrics.late(m.To, m.Code)
	}
	for r, n := range late {
		pipeline.Logger(ctx).
			WarnContext(ctx, "devices wait for longer than expected", slog.String("state", string(r.state)),
				slog.String(telemetry.KeyCode, string(r.code)),
				slog.Int(telemetry.KeyCount, n), slog.Duration(telemetry.KeyWait, s.timings.Alarm))
	}
}
