package collect

import (
	"context"
	"sync"

	"taxiway.example/pkg/intake"
)

// candidates reads the hashes of a chunk on all workers and keeps the order.
func (r *run) candidates(ctx context.Context, rows []intake.Row) []intake.Candidate {
	out := make([]intake.Candidate, len(rows))
	received := r.Now().UTC()
	d := r.delivery
	terms := intake.Terms{Tenant: d.Tenant, Source: d.Source, GroupTag: d.GroupTag, Operator: d.Operator}
	var group sync.WaitGroup
	for w := range r.config.Workers {
		group.Go(func() {
			for i := w; i < len(rows); i += r.config.Workers {
				out[i] = intake.Classify(ctx, r.rules, terms, rows[i], received)
			}
		})
	}
	group.Wait()
	return out
}
