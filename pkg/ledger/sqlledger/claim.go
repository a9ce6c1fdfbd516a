package sqlledger

import (
	"context"
	"database/sql"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
)

// What is due, oldest first. "due > 0" is the condition of the partial indices, spelled out so that both databases
// recognise it.
const (
	dueDevices = `SELECT id, batch, chunk_limit FROM devices
		WHERE stage = ? AND tenant = ? AND due > 0 AND due <= ? ORDER BY due LIMIT ? FOR UPDATE SKIP LOCKED`
	dueSubmissions = `SELECT id FROM submissions
		WHERE tenant = ? AND due > 0 AND due <= ? AND state IN ? ORDER BY due LIMIT ? FOR UPDATE SKIP LOCKED`
)

// ClaimDevices issues due devices; see ledger.DueDevices.
func (l *Ledger) ClaimDevices(ctx context.Context, stage device.Stage, c ledger.Claim) ([]ledger.DueDevice, error) {
	var claimed []ledger.DueDevice
	err := l.write(ctx, "claim_devices", func(ctx context.Context, t tx) (err error) {
		claimed, err = query(ctx, t.conn, func(rows *sql.Rows) (d ledger.DueDevice, err error) {
			return d, rows.Scan(&d.ID, &d.Batch, &d.ChunkLimit)
		}, dueDevices, stage, c.Tenant, micros(c.Now), c.Limit)
		if err != nil || len(claimed) == 0 {
			return err
		}
		ids := make([]string, len(claimed))
		for i, d := range claimed {
			ids[i] = d.ID
		}
		_, err = t.exec(ctx, `UPDATE devices SET due = ? WHERE id IN ?`, micros(c.Until), ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	return claimed, nil
}

// ClaimSubmissions issues due submissions; see ledger.DueSubmissions.
func (l *Ledger) ClaimSubmissions(
	ctx context.Context,
	c ledger.Claim,
	states ...ledger.SubmissionState,
) ([]string, error) {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = string(s)
	}
	var ids []string
	err := l.write(ctx, "claim_submissions", func(ctx context.Context, t tx) (err error) {
		ids, err = query(ctx, t.conn, scanID, dueSubmissions, c.Tenant, micros(c.Now), names, c.Limit)
		if err != nil || len(ids) == 0 {
			return err
		}
		_, err = t.exec(ctx, `UPDATE submissions SET due = ? WHERE id IN ?`, micros(c.Until), ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}
