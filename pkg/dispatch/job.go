package dispatch

import (
	"context"
	"time"

	"taxiway.example/pkg/pipeline"
)

// Job is periodic work that one process at a time does, such as deleting what is old. It must be safe to repeat. It
// finds its logger by pipeline.Logger.
type Job struct {
	Name  string        // of the lease, e.g. "erase-captures"
	Every time.Duration // from one beginning to the next; more than zero
	Do    func(ctx context.Context) error
}

// repeater does one job. It keeps the lease in between, so that no other process begins early.
type repeater struct {
	Job
	*lease
	next time.Time
}

func (r *repeater) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := r.round(ctx); err != nil && ctx.Err() == nil {
			r.warn(ctx, "a periodic job failed; it is done again next time", err)
		}
		idle(ctx, min(r.Every, r.length/3), nil)
	}
}

func (r *repeater) round(ctx context.Context) error {
	return r.during(ctx, func(ctx context.Context) error {
		now := r.now()
		if now.Before(r.next) {
			return nil
		}
		r.next = now.Add(r.Every)
		return pipeline.Guard(r.log, r.Do)(ctx)
	})
}
