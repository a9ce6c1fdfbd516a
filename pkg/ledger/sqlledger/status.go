package sqlledger

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// counts are the numbers of a batch in one statement, and thereby of one moment; each part is answered by an index
// alone.
const counts = `
	SELECT 'row', outcome, '', count(*) FROM batch_rows WHERE batch = ? GROUP BY outcome
	UNION ALL
	SELECT 'reject', '', code, count(*) FROM batch_rows WHERE batch = ? AND outcome = 'rejected' GROUP BY code
	UNION ALL
	SELECT CASE conflict WHEN 0 THEN 'device' ELSE 'conflict' END, state, code, count(*)
	FROM devices WHERE batch = ? GROUP BY conflict, state, code
	UNION ALL
	SELECT 'device', d.state, d.code, count(*) FROM batch_rows r JOIN devices d ON d.id = r.device
	WHERE r.batch = ? AND r.named > 0 AND r.named = 1 GROUP BY d.state, d.code
	UNION ALL
	SELECT 'check', '', '', count(*) FROM batch_rows WHERE batch = ? AND named > 0 AND named = 2
	UNION ALL
	SELECT 'differs', '', code, count(*) FROM batch_rows WHERE batch = ? AND differs = 1 GROUP BY code`

// tally is a row of counts.
type tally struct {
	what, name string
	code       fault.Code
	count      int
}

func (c conn) status(ctx context.Context, b ledger.Batch) (ledger.BatchStatus, error) {
	tallies, err := query(ctx, c, func(rows *sql.Rows) (t tally, err error) {
		return t, rows.Scan(&t.what, &t.name, &t.code, &t.count)
	}, counts, b.ID, b.ID, b.ID, b.ID, b.ID, b.ID)
	status := ledger.BatchStatus{
		Batch: b, Outcomes: map[device.RowOutcome]int{}, States: map[device.State]int{}, Conflicts: map[device.State]int{},
	}
	for _, t := range tallies {
		t.addTo(&status)
	}
	for _, reasons := range [][]ledger.Reason{status.Reasons, status.Rejects, status.Differs} {
		slices.SortFunc(reasons, func(a, b ledger.Reason) int {
			return cmp.Or(b.Count-a.Count, cmp.Compare(a.Code, b.Code), cmp.Compare(a.State, b.State))
		})
	}
	return status, err
}

func (t tally) addTo(s *ledger.BatchStatus) {
	switch t.what {
	case "row":
		s.Rows += t.count
		s.Outcomes[device.RowOutcome(t.name)] += t.count
		return
	case "reject":
		s.Rejects = append(s.Rejects, ledger.Reason{Code: t.code, Count: t.count})
		return
	case "differs":
		s.Differs = append(s.Differs, ledger.Reason{Code: t.code, Count: t.count})
		return
	case "check":
		s.Checks = t.count
		return
	case "conflict":
		s.Conflicts[device.State(t.name)] += t.count
	case "device":
		s.States[device.State(t.name)] += t.count
	}
	if t.code != "" {
		s.Reasons = append(s.Reasons, ledger.Reason{State: device.State(t.name), Code: t.code, Count: t.count})
	}
}

// row is a row of batch_rows.
type row struct {
	batch   string
	digest  string
	named   named
	differs bool // it asks for something that is not carried out
	ledger.Receipt
}

// named is what a row does with the known device that it names.
type named int

const (
	notNamed named = iota
	putToWork
	dueForCheck // until the check is decided
)

var batchRows = table[row]{"batch_rows", []field[row]{
	{Column{"batch", Text}, func(r *row) cell { return text(&r.batch) }},
	{Column{"row_no", Integer}, func(r *row) cell { return integer(&r.Row) }},
	{Column{"outcome", Text}, func(r *row) cell { return text(&r.Outcome) }},
	{Column{"device", Text}, func(r *row) cell { return text(&r.Device) }},
	{Column{"code", Text}, func(r *row) cell { return text(&r.Code) }},
	{Column{"file_column", Text}, func(r *row) cell { return text(&r.Column) }},
	{Column{"detail", Text}, func(r *row) cell { return text(&r.Detail) }},
	{Column{"warnings", Text}, func(r *row) cell { return listCell{&r.Warnings} }},
	{Column{"digest", Text}, func(r *row) cell { return text(&r.digest) }},
	{Column{"named", Integer}, func(r *row) cell { return integer(&r.named) }},
	{Column{"differs", Integer}, func(r *row) cell { return flagCell{&r.differs} }},
}}

// The pages of a batch's rows. Those of an outcome are first found in the index: asked directly, SQLite reads all rows
// of the batch to find a few.
const (
	rowsAfter   = `WHERE batch = ? AND row_no > ? ORDER BY row_no LIMIT ?`
	rowsOutcome = `WHERE batch = ? AND row_no IN (
		SELECT row_no FROM batch_rows WHERE batch = ? AND outcome = ? AND row_no > ? ORDER BY row_no LIMIT ?
	) ORDER BY row_no`
	rowsDiffering = `WHERE batch = ? AND differs = 1 AND row_no > ? ORDER BY row_no LIMIT ?`
)

// Rows returns rows in order; see ledger.BatchReader.
func (l *Ledger) Rows(
	ctx context.Context, tenant device.TenantID, batch string, q ledger.RowQuery,
) ([]ledger.RowStatus, error) {
	return read(ctx, l, "rows", func(ctx context.Context, c conn) ([]ledger.RowStatus, error) {
		known, err := batches.find(ctx, c, `WHERE tenant = ? AND id = ?`, tenant, batch)
		if err != nil {
			return nil, err
		}
		if len(known) == 0 {
			return nil, unknownBatch(batch)
		}
		clauses := rowsAfter
		args := []any{batch, q.After, cmp.Or(q.Limit, 500)}
		switch {
		case q.Differs:
			clauses = rowsDiffering
		case q.Outcome != "":
			clauses = rowsOutcome
			args = slices.Insert(args, 1, any(batch), any(q.Outcome))
		}
		found, err := batchRows.find(ctx, c, clauses, args...)
		if err != nil {
			return nil, err
		}
		return c.withStates(ctx, found)
	})
}

// withStates adds to each row how its device stands now.
func (c conn) withStates(ctx context.Context, found []*row) ([]ledger.RowStatus, error) {
	ids := make([]string, len(found))
	for i, r := range found {
		ids[i] = r.Device
	}
	now, err := devices.only("id", "state", "code", "detail").find(ctx, c, `WHERE id IN ?`, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*record, len(now))
	for _, r := range now {
		byID[r.ID] = r
	}
	all := make([]ledger.RowStatus, len(found))
	for i, r := range found {
		all[i].Receipt = r.Receipt
		if d := byID[r.Device]; d != nil {
			all[i].State = d.State
			all[i].DeviceCode = d.Code
			all[i].Reason = d.Detail
		}
	}
	return all, nil
}
