package sqlledger

import (
	"context"
	"maps"
	"slices"
)

// rewrite stores what is known anew of devices from before. They are not locked: what depends on their state, which may
// just be changing, the statement finds out itself.
func (in *acceptance) rewrite(ctx context.Context, changed []*record) error {
	if len(changed) == 0 {
		return nil
	}
	if err := devices.update(ctx, in.conn, changed, recaptured...); err != nil {
		return err
	}
	ids := make([]string, len(changed))
	for i, r := range changed {
		ids[i] = r.ID
	}
	_, err := in.exec(ctx, `UPDATE devices SET erasable = 1
		WHERE id IN ? AND due = 0 AND state IN ('ready', 'retired')`, ids)
	return err
}

// store writes everything in a few statements.
func (in *acceptance) store(ctx context.Context) error {
	steps := make([]*transition, len(in.accepted))
	for i, r := range in.accepted {
		steps[i] = r.step("", acceptedBy)
	}
	bodies := slices.Collect(maps.Values(in.captures))
	changed := sorted(in.changed)
	if err := devices.insert(ctx, in.conn, in.accepted, ""); err != nil {
		return err
	}
	if err := transitions.insert(ctx, in.conn, steps, ""); err != nil {
		return err
	}
	const replace = `ON CONFLICT (device) DO UPDATE SET body = excluded.body`
	if err := captures.insert(ctx, in.conn, bodies, replace); err != nil {
		return err
	}
	if err := captures.insert(ctx, in.conn, slices.Collect(maps.Values(in.again)), `ON CONFLICT DO NOTHING`); err != nil {
		return err
	}
	if err := in.rewrite(ctx, changed); err != nil {
		return err
	}
	if in.work != nil {
		if err := in.save(ctx, in.work); err != nil {
			return err
		}
	}
	return batchRows.insert(ctx, in.conn, in.rows, "")
}
