package submission_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/importer/internal/submission"
)

func (r *fixture) collected(id device.TenantID, devices ...string) event.Event {
	return event.ForDevices(event.DevicesCollected, "/taxiway/test", id, devices, time.Now())
}

// work is what a process of the service does next.
type work func(*submission.Service) error

// due returns what is due now: what the dispatcher issues, and the deletion of import records.
func (r *fixture) due() []work {
	r.Helper()
	var issued recorder
	cfg := dispatch.Config{
		Stages: []dispatch.Stage{dispatch.Import, dispatch.Submissions}, Source: "/taxiway/test",
		Timings: dispatch.Timings{Overdue: 15 * time.Minute, PerTenant: 100},
	}
	if err := dispatch.Once(context.Background(), cfg, dispatch.Deps{Ledger: r.ledger, Emitter: &issued}); err != nil {
		r.Fatal(err)
	}
	var due []work
	for _, e := range issued.all {
		due = append(due, func(s *submission.Service) error { return handleWith(s, e) })
	}
	for _, sub := range r.open() {
		if sub.State == ledger.SubmissionComplete && !sub.Due.After(time.Now()) {
			return append(due, func(s *submission.Service) error { return s.Deletion().Do(context.Background()) })
		}
	}
	return due
}

// handle gives an event to the use case.
func (r *fixture) handle(e event.Event) error { return handleWith(&r.Service, e) }

func handleWith(s *submission.Service, e event.Event) error {
	if e.Type == event.SubmissionDue {
		return s.Poll(context.Background(), e)
	}
	return s.Submit(context.Background(), e)
}

// finished reports whether nothing is left to do for the importer.
func (r *fixture) finished(devices map[device.TenantID][]string) bool {
	r.Helper()
	for id, ids := range devices {
		found, err := r.ledger.Devices(context.Background(), id, ids)
		if err != nil {
			r.Fatal(err)
		}
		for _, d := range found {
			if d.State == device.Collected || d.State == device.Submitting || d.State == device.Submitted {
				return false
			}
		}
	}
	return len(r.open()) == 0
}

// open returns the submissions that are not closed.
func (r *fixture) open() []ledger.Submission {
	r.Helper()
	r.begun.mu.Lock()
	defer r.begun.mu.Unlock()
	var open []ledger.Submission
	for _, sub := range r.begun.all {
		if r.begun.closed[sub.ID] {
			continue
		}
		got, err := r.ledger.Submission(context.Background(), sub.Tenant, sub.ID)
		if err != nil {
			r.Fatal(err)
		}
		if got.State != ledger.SubmissionClosed {
			open = append(open, got)
			continue
		}
		r.begun.closed[sub.ID] = true
	}
	return open
}

// run issues and handles what is due until the devices are through and everything is cleaned up, or the time is over.
func (r *fixture) run(most time.Duration, devices map[device.TenantID][]string) {
	r.Helper()
	for end := time.Now().Add(most); r.step() || !r.finished(devices); {
		if time.Now().After(end) {
			r.Fatalf("not settled after %s: %s", most, r.describe(devices))
		}
	}
	if blind := simulator.BlindReposts(r.sim.Log()); len(blind) > 0 {
		r.Fatalf("posted twice without a look: %+v", blind)
	}
}

// step handles what is due now, or waits until something is. It reports whether there was anything.
func (r *fixture) step() bool {
	r.Helper()
	due := r.due()
	for _, do := range due {
		if err := do(&r.Service); err != nil {
			r.Fatal(err)
		}
	}
	r.rest(len(due) > 0)
	return len(due) > 0
}

// rest waits until the next submission or accepted device is due, when there was nothing to do.
func (r *fixture) rest(worked bool) {
	r.Helper()
	if worked {
		return
	}
	next := time.Now().Add(time.Hour)
	earlier := func(due time.Time) {
		if !due.IsZero() && due.Before(next) {
			next = due
		}
	}
	for _, sub := range r.open() {
		earlier(sub.Due)
	}
	for id, ids := range r.accepted {
		found, err := r.ledger.Devices(context.Background(), id, ids)
		if err != nil {
			r.Fatal(err)
		}
		for _, d := range found {
			if d.State == device.Collected {
				earlier(d.Due)
			}
		}
	}
	time.Sleep(max(time.Until(next), time.Second))
}

func (r *fixture) describe(devices map[device.TenantID][]string) string {
	var lines []string
	for id, ids := range devices {
		for _, one := range ids {
			d := r.device(id, one)
			lines = append(
				lines,
				fmt.Sprintf("%s %s %s attempts %d due %s", d.State, d.Code, d.Detail, d.Attempts, d.Due),
			)
		}
	}
	for _, sub := range r.begun.all {
		got, err := r.ledger.Submission(context.Background(), sub.Tenant, sub.ID)
		lines = append(
			lines,
			fmt.Sprintf("submission %s %s polls %d due %s %v", got.State, got.Code, got.Polls, got.Due, err),
		)
	}
	return strings.Join(lines, "\n")
}
