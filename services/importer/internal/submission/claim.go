package submission

import (
	"context"
	"sync"
	"time"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// claim is a worker's claim on a submission that it sends. It lasts for Timings.Claim and is renewed while the worker
// lives, so that a slow POST is not taken for a lost one; another worker asks what became of the POST once the claim
// has run out.
type claim struct {
	*Service
	cancel context.CancelCauseFunc
	over   chan struct{} // closed by release
	ended  chan struct{} // closed when nothing is renewed any more

	mu  sync.Mutex
	sub ledger.Submission // as the ledger has it
}

var errRunOut = fault.New(fault.GraphUnavailable, "the claim on the submission had run out")

// hold renews the claim on a submission until release, and at once when much of its time has passed already. The
// context ends when the claim could not be kept.
func (s *Service) hold(ctx context.Context, sub ledger.Submission) (context.Context, *claim) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &claim{Service: s, cancel: cancel, over: make(chan struct{}), ended: make(chan struct{}), sub: sub}
	if c.left() < s.Timings.Claim*2/3 && !c.renew(ctx, s.Timings.Claim/3) {
		cancel(errRunOut)
	}
	go c.keep(ctx)
	return ctx, c
}

func (c *claim) keep(ctx context.Context) {
	defer close(c.ended)
	tick := time.NewTicker(c.Timings.Claim / 3)
	defer tick.Stop()
	for {
		select {
		case <-c.over:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !c.renew(ctx, c.left()) {
			c.cancel(errRunOut)
			return
		}
	}
}

// renew reports whether the claim stands. An error is no reason to give it up before it has run out.
func (c *claim) renew(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	next := c.submission()
	next.Posted = c.Now() // it may be sent until then
	next.Due = next.Posted.Add(c.Timings.Claim)
	applied, err := c.Ledger.Advance(ctx, ledger.SubmissionChange{Submission: next})
	if err != nil {
		report(ctx, "a claim could not be renewed", err)
		return c.left() > 0
	}
	if applied {
		next.Version++
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sub = next
	}
	return applied
}

func (c *claim) submission() ledger.Submission {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sub
}

// left returns how long the claim lasts; nothing may be sent when it has run out.
func (c *claim) left() time.Duration { return c.submission().Due.Sub(c.Now()) }

// release ends the renewals and returns the submission as the ledger has it.
func (c *claim) release() ledger.Submission {
	close(c.over)
	<-c.ended
	c.cancel(nil)
	return c.sub
}
