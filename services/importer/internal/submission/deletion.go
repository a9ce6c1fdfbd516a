package submission

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
)

// Deletion is the periodic job that deletes the import records of submissions that are complete, and closes those that
// have no more. It comes after everything else: it may use at most half of a tenant's writes.
func (s *Service) Deletion() dispatch.Job {
	return dispatch.Job{Name: "delete-import-records", Every: s.Timings.Cleanup, Do: s.deleteRecords}
}

// deleting is how many tenants' records are deleted at once, so that a tenant that is slow holds up few others.
const deleting = 4

func (s *Service) deleteRecords(ctx context.Context) error {
	tenants, err := s.Ledger.Tenants(ctx)
	if err != nil {
		return err
	}
	failed := make([]error, len(tenants))
	var g errgroup.Group
	g.SetLimit(deleting)
	for i, t := range tenants {
		work := pipeline.Guard(pipeline.Logger(ctx), func(ctx context.Context) error { return s.deleteOf(ctx, t) })
		g.Go(func() error {
			failed[i] = work(ctx)
			return nil
		})
	}
	return errors.Join(append(failed, g.Wait())...)
}

// deleteOf takes the tenant's submissions that are due one step further, until something stands in the way.
func (s *Service) deleteOf(ctx context.Context, t device.TenantID) error {
	for more := true; more; {
		now := s.Now()
		claim := ledger.Claim{Tenant: t, Now: now, Until: now.Add(s.Timings.Claim), Limit: 1}
		due, err := s.Ledger.ClaimSubmissions(ctx, claim, ledger.SubmissionComplete)
		if err != nil || len(due) == 0 {
			return err
		}
		sub, err := s.Ledger.Submission(ctx, t, due[0])
		if err != nil {
			return err
		}
		if more, err = s.cleanUp(ctx, sub); err != nil {
			return err
		}
	}
	return nil
}

// cleanUp deletes some of the submission's import records, and closes it when there are none: a record counts as
// deleted when it is no longer listed. It reports whether it makes sense to go on with the next one of the tenant.
func (s *Service) cleanUp(ctx context.Context, sub ledger.Submission) (more bool, err error) {
	if s.Now().Sub(sub.Posted) > s.Timings.CleanupEnd {
		return true, s.close(ctx, sub)
	}
	client, records, err := s.read(ctx, sub, nil)
	records = own(records, sub)
	switch {
	case fault.IsCancel(err) && !fault.Is(err):
		return false, err
	case err != nil:
		return false, s.putOff(ctx, sub, nil, err)
	case len(records) == 0:
		return true, s.close(ctx, sub)
	}
	t, err := s.Tenants.Get(sub.Tenant)
	if err != nil {
		return false, s.putOff(ctx, sub, nil, err)
	}
	share := t.Limits.WriteRate()
	share.Limit = max(1, share.Limit/2)
	n := min(len(records), s.Timings.MaxDeletes, share.Limit)
	wait, err := s.Ledger.Take(ctx, t.ID, "import.cleanup", n, share, s.Now())
	if err != nil {
		return false, err
	}
	if wait > 0 {
		return false, s.putOff(
			ctx,
			sub,
			nil,
			fault.New(fault.GraphThrottled, "deleting has used its share").After(wait),
		)
	}
	return true, s.delete(ctx, client, sub, records[:n])
}

func (s *Service) delete(
	ctx context.Context,
	client Cleaner,
	sub ledger.Submission,
	records []autopilot.Imported,
) error {
	all := make([]string, len(records))
	for i, r := range records {
		all[i] = r.ID
	}
	gone, kept := client.DeleteImported(ctx, all...)
	pause := s.Timings.Cleanup
	if kept != nil {
		report(ctx, "import records could not be deleted", kept)
		pause = max(pause, s.Timings.pause(kept))
	}
	sub.Due = s.Now().Add(spread(pause, sub.ID))
	_, err := s.advance(ctx, ledger.SubmissionChange{Submission: sub, Items: deleted(sub.Items, gone)})
	return err
}

// complete returns the submission as one whose devices all have their outcome. From then on Posted says since when:
// nobody asks for the time of the POST any more, and the time for deleting begins.
func complete(sub ledger.Submission, now time.Time) ledger.Submission {
	sub.State = ledger.SubmissionComplete
	sub.Posted = now
	return sub
}

// close ends the submission. Its code stays: it says how it ended.
func (s *Service) close(ctx context.Context, sub ledger.Submission) error {
	sub.State = ledger.SubmissionClosed
	sub.Due = time.Time{}
	_, err := s.advance(ctx, ledger.SubmissionChange{Submission: sub})
	return err
}

// deleted returns the items whose records are gone.
func deleted(items []ledger.Item, gone []string) []ledger.Item {
	set := make(map[string]bool, len(gone))
	for _, id := range gone {
		set[id] = true
	}
	var changed []ledger.Item
	for _, i := range items {
		if i.RecordID != "" && set[i.RecordID] {
			i.Deleted = true
			changed = append(changed, i)
		}
	}
	return changed
}
