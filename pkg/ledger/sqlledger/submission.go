package sqlledger

import (
	"context"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

var submissions = table[ledger.Submission]{"submissions", []field[ledger.Submission]{
	{Column{"id", Text}, func(s *ledger.Submission) cell { return text(&s.ID) }},
	{Column{"tenant", Text}, func(s *ledger.Submission) cell { return text(&s.Tenant) }},
	{Column{"import_id", Text}, func(s *ledger.Submission) cell { return text(&s.ImportID) }},
	{Column{"state", Text}, func(s *ledger.Submission) cell { return text(&s.State) }},
	{Column{"version", Integer}, func(s *ledger.Submission) cell { return integer(&s.Version) }},
	{Column{"polls", Integer}, func(s *ledger.Submission) cell { return integer(&s.Polls) }},
	{Column{"due", Integer}, func(s *ledger.Submission) cell { return timeCell{&s.Due} }},
	{Column{"code", Text}, func(s *ledger.Submission) cell { return text(&s.Code) }},
	{Column{"created", Integer}, func(s *ledger.Submission) cell { return timeCell{&s.Created} }},
	{Column{"posted", Integer}, func(s *ledger.Submission) cell { return timeCell{&s.Posted} }},
}}

// item is a row of submission_items.
type item struct {
	submission string
	position   int
	ledger.Item
}

var items = table[item]{"submission_items", []field[item]{
	{Column{"submission", Text}, func(i *item) cell { return text(&i.submission) }},
	{Column{"position", Integer}, func(i *item) cell { return integer(&i.position) }},
	{Column{"device", Text}, func(i *item) cell { return text(&i.Device) }},
	{Column{"record_id", Text}, func(i *item) cell { return text(&i.RecordID) }},
	{Column{"deleted", Integer}, func(i *item) cell { return flagCell{&i.Deleted} }},
}}

// Begin stores a submission with the devices it wins; see ledger.Submitter.
func (l *Ledger) Begin(
	ctx context.Context,
	s ledger.Submission,
	refs []ledger.Ref,
	by string,
) ([]device.Device, error) {
	var won []device.Device
	err := l.write(ctx, "begin", func(ctx context.Context, t tx) (err error) {
		won, err = t.begin(ctx, s, refs, by)
		return err
	})
	if err != nil {
		return nil, err
	}
	return won, nil
}

func (t tx) begin(ctx context.Context, s ledger.Submission, refs []ledger.Ref, by string) ([]device.Device, error) {
	ids := make([]string, len(refs))
	for i, ref := range refs {
		ids[i] = ref.ID
	}
	work, err := t.lockDevices(ctx, ids)
	if err != nil {
		return nil, err
	}
	var won []device.Device
	var parts []*item
	for _, ref := range refs {
		r := work.at(s.Tenant, ref.ID, ref.Version)
		if r == nil || r.State == device.Submitting || !r.State.CanBecome(device.Submitting) {
			continue
		}
		code := r.Code
		r.State = device.Submitting
		r.Submission = s.ID
		r.Due = time.Time{}
		r.Code = ""
		r.Detail = ""
		work.note(r, device.Collected, code, by)
		won = append(won, r.Device)
		parts = append(parts, &item{submission: s.ID, position: len(parts), Item: ledger.Item{Device: r.ID}})
	}
	if len(won) == 0 {
		return nil, nil
	}
	s.State = ledger.SubmissionOpen
	s.Version = 1
	if s.Created.IsZero() {
		s.Created = t.now
	}
	if err := submissions.insert(ctx, t.conn, []*ledger.Submission{&s}, ""); err != nil {
		return nil, err
	}
	if err := items.insert(ctx, t.conn, parts, ""); err != nil {
		return nil, err
	}
	return won, t.save(ctx, work)
}

// Advance carries out a step of a submission; see ledger.Submitter.
func (l *Ledger) Advance(ctx context.Context, c ledger.SubmissionChange) (bool, error) {
	var applied bool
	err := l.write(ctx, "advance", func(ctx context.Context, t tx) (err error) {
		applied, err = t.advance(ctx, c)
		return err
	})
	return applied && err == nil, err
}

func (t tx) advance(ctx context.Context, c ledger.SubmissionChange) (bool, error) {
	s := c.Submission
	n, err := t.exec(
		ctx,
		`UPDATE submissions SET state = ?, version = version + 1, polls = ?, due = ?, code = ?, posted = ?
		WHERE id = ? AND tenant = ? AND version = ?`,
		s.State,
		s.Polls,
		micros(s.Due),
		s.Code,
		micros(s.Posted),
		s.ID,
		s.Tenant,
		s.Version,
	)
	if err != nil || n == 0 {
		return false, err
	}
	parts := make([]*item, len(c.Items))
	for i, one := range c.Items {
		parts[i] = &item{submission: s.ID, Item: one}
	}
	if err := t.updateItems(ctx, parts); err != nil {
		return false, err
	}
	_, err = t.move(ctx, c.Moves)
	return true, err
}

func (t tx) updateItems(ctx context.Context, parts []*item) error {
	return items.only("submission", "device", "record_id", "deleted").
		each(ctx, t.conn, parts, func(source string) string {
			return `WITH m (submission, device, record_id, deleted) AS (` + source + `)
			UPDATE submission_items SET record_id = m.record_id, deleted = m.deleted
			FROM m WHERE submission_items.submission = m.submission AND submission_items.device = m.device`
		})
}

// Submission returns a submission with its items; see ledger.SubmissionReader.
func (l *Ledger) Submission(ctx context.Context, tenant device.TenantID, id string) (ledger.Submission, error) {
	return read(ctx, l, "submission", func(ctx context.Context, c conn) (ledger.Submission, error) {
		found, err := submissions.find(ctx, c, `WHERE tenant = ? AND id = ?`, tenant, id)
		if err != nil {
			return ledger.Submission{}, err
		}
		if len(found) == 0 {
			return ledger.Submission{}, fault.Newf(fault.RequestNotFound, "submission %q", id)
		}
		s := *found[0]
		parts, err := items.find(ctx, c, `WHERE submission = ? ORDER BY position`, id)
		for _, p := range parts {
			s.Items = append(s.Items, p.Item)
		}
		return s, err
	})
}
