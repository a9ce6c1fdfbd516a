package sqlledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/ledger"
)

// Devices returns the devices found; see ledger.DeviceReader.
func (l *Ledger) Devices(ctx context.Context, tenant device.TenantID, ids []string) ([]device.Device, error) {
	return read(ctx, l, "devices", func(ctx context.Context, c conn) ([]device.Device, error) {
		found, err := devices.find(ctx, c, `WHERE id IN ? AND tenant || '' = ?`, ids, tenant)
		return public(found), err
	})
}

// BySerial returns the devices of a serial; see ledger.DeviceReader.
func (l *Ledger) BySerial(ctx context.Context, tenant device.TenantID, serial device.Serial) ([]device.Device, error) {
	return read(ctx, l, "by_serial", func(ctx context.Context, c conn) ([]device.Device, error) {
		found, err := devices.find(ctx, c, bySerial, tenant, clean(serial.Fold()))
		return public(found), err
	})
}

// bySerial orders by id, which is a UUIDv7 and grows with time.
const bySerial = `WHERE tenant = ? AND serial_fold = ? AND serial_crowded IN (0, 1) ORDER BY id DESC LIMIT 50`

func public(records []*record) []device.Device {
	all := make([]device.Device, len(records))
	for i, r := range records {
		all[i] = r.Device
	}
	return all
}

// Timeline returns what happened to a device; see ledger.Timeline.
func (l *Ledger) Timeline(ctx context.Context, tenant device.TenantID, id string) ([]ledger.Transition, error) {
	return read(ctx, l, "timeline", func(ctx context.Context, c conn) ([]ledger.Transition, error) {
		found, err := transitions.find(ctx, c, `WHERE device = (SELECT id FROM devices WHERE id = ? AND tenant = ?)
			ORDER BY version`, id, tenant)
		all := make([]ledger.Transition, len(found))
		for i, t := range found {
			all[i] = t.Transition
		}
		return all, err
	})
}

// Captures returns stored captures; see ledger.CaptureReader.
func (l *Ledger) Captures(ctx context.Context, tenant device.TenantID, ids []string) (map[string][]byte, error) {
	return read(ctx, l, "captures", func(ctx context.Context, c conn) (map[string][]byte, error) {
		found, err := captures.find(ctx, c, `WHERE tenant = ? AND device IN ?`, tenant, ids)
		if err != nil {
			return nil, err
		}
		all := make(map[string][]byte, len(found))
		for _, s := range found {
			if all[s.device], err = l.opts.Codec.Open(string(tenant), s.body); err != nil {
				return nil, fmt.Errorf("open the capture of device %s: %w", s.device, err)
			}
		}
		return all, nil
	})
}

// EraseCaptures forgets old captures; see ledger.CaptureEraser.
func (l *Ledger) EraseCaptures(ctx context.Context, before time.Time, limit int) (int, error) {
	var erased int64
	err := l.write(ctx, "erase_captures", func(ctx context.Context, t tx) error {
		ids, err := query(ctx, t.conn, scanID, erasable, micros(before), limit)
		if err != nil || len(ids) == 0 {
			return err
		}
		if erased, err = t.exec(ctx, `DELETE FROM captures WHERE device IN ?`, ids); err != nil {
			return err
		}
		_, err = t.exec(ctx, `UPDATE devices SET erasable = 0 WHERE id IN ?`, ids)
		return err
	})
	return int(erased), err
}

// erasable spells the condition of the partial index, so that both databases recognise it.
const erasable = `SELECT id FROM devices
	WHERE erasable = 1 AND updated < ? ORDER BY updated LIMIT ? FOR UPDATE SKIP LOCKED`

func scanID(rows *sql.Rows) (id string, err error) { return id, rows.Scan(&id) }
