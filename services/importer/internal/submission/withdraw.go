package submission

import (
	"context"
	"sync"
	"time"

	"taxiway.example/pkg/backoff"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// pending are the submissions of which this process knows that nothing was sent, and could not say so in the ledger:
// the commit before the POST failed, or the one after its refusal. For everybody else they may have been sent.
type pending struct {
	mu   sync.Mutex
	all  map[string]device.TenantID // by submission
	news chan struct{}
}

func newPending() *pending {
	return &pending{all: map[string]device.TenantID{}, news: make(chan struct{}, 1)}
}

func (u *pending) add(sub ledger.Submission) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all[sub.ID] = sub.Tenant
	select {
	case u.news <- struct{}{}:
	default:
	}
}

// take empties it.
func (u *pending) take() map[string]device.TenantID {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := u.all
	u.all = map[string]device.TenantID{}
	return all
}

// The pauses while the ledger does not answer.
const (
	withdrawFirst = time.Second
	withdrawMax   = time.Minute
)

// Withdraw takes back what was not sent, as soon as the ledger answers again, until ctx ends. Their devices are due at
// once then. What is left when the process ends is looked for, as after a crash.
func (s *Service) Withdraw(ctx context.Context) error {
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-s.unsent.news:
		}
		if s.withdrawAll(ctx) {
			failures = 0
			continue
		}
		if backoff.Wait(ctx, backoff.Doubled(withdrawFirst, failures, withdrawMax)) != nil {
			return nil
		}
		failures++
	}
}

// withdrawAll reports whether nothing is left.
func (s *Service) withdrawAll(ctx context.Context) bool {
	done := true
	for id, tenant := range s.unsent.take() {
		sub := ledger.Submission{ID: id, Tenant: tenant}
		if err := s.withdrawOne(ctx, sub); err != nil {
			report(ctx, "an import that was not sent could not be taken back yet", err)
			s.unsent.add(sub)
			done = false
		}
	}
	return done
}

// withdrawOne takes back a submission if it was begun at all, and nobody else has ended it.
func (s *Service) withdrawOne(ctx context.Context, sub ledger.Submission) error {
	for {
		sub, err := s.Ledger.Submission(ctx, sub.Tenant, sub.ID)
		switch {
		case fault.Is(err, fault.RequestNotFound):
			return nil
		case err != nil:
			return err
		case sub.State != ledger.SubmissionOpen:
			return nil
		}
		devices, err := s.devices(ctx, sub)
		if err != nil {
			return err
		}
		if applied, err := s.withdraw(ctx, sub, remaining(sub, devices)); err != nil || applied {
			return err
		}
	}
}

// withdraw gives the devices of a submission back as they were, as nothing was sent: whoever comes next sends them. It
// reports whether the submission still was as given.
func (s *Service) withdraw(ctx context.Context, sub ledger.Submission, devices []device.Device) (bool, error) {
	sub.State = ledger.SubmissionClosed
	sub.Due = time.Time{}
	sub.Code = ""
	c := ledger.SubmissionChange{Submission: sub}
	for _, d := range devices {
		c.Moves = append(c.Moves, move(d, device.Collected, s.Now(), "", ""))
	}
	applied, err := s.advance(ctx, c)
	if applied {
		s.Notify()
	}
	return applied, err
}
