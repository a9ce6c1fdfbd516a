package submission

import (
	"context"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// cleanUp deletes some of the submission's import records, and closes it when there are none: a record counts as deleted when
// it is no longer listed. Deleting comes last: it may use at most half of the tenant's writes.
func (s *Service) cleanUp(ctx context.Context, client Cleaner, sub ledger.Submission, records []autopilot.Imported) error {
	if len(records) == 0 {
		return s.close(ctx, sub)
	}
	t, err := s.Tenants.Get(sub.Tenant)
	if err != nil {
		return s.putOff(ctx, sub, nil, err)
	}
	share := t.Limits.WriteRate()
	share.Limit = max(1, share.Limit/2)
	n := min(len(records), s.Timings.MaxDeletes, share.Limit)
	wait, err := s.Ledger.Take(ctx, t.ID, "import.cleanup", n, share, s.Now())
	if err != nil {
		return err
	}
	if wait > 0 {
		return s.putOff(ctx, sub, nil, fault.New(fault.GraphThrottled, "deleting has used its share").After(wait))
	}
	return s.delete(ctx, client, sub, records[:n])
}

func (s *Service) delete(ctx context.Context, client Cleaner, sub ledger.Submission, records []autopilot.Imported) error {
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

// settled returns the submission as one whose devices all have their outcome. From then on Posted says since when: nobody asks
// for the time of the POST any more, and the time for deleting begins.
func settled(sub ledger.Submission, now time.Time) ledger.Submission {
	if sub.State != ledger.SubmissionSettled {
		sub.State, sub.Posted = ledger.SubmissionSettled, now
	}
	return sub
}

// close ends the submission. Its code stays: it says how it ended.
func (s *Service) close(ctx context.Context, sub ledger.Submission) error {
	sub.State, sub.Due = ledger.SubmissionClosed, time.Time{}
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
