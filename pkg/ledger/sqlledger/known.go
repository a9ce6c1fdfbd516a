package sqlledger

import (
	"context"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/intake"
)

// known is the devices that rows may be, or contradict.
type known struct {
	*device.Index
	byID map[string]*record
}

// sharing selects the devices of a tenant that share an identifier with any of the rows, some of them twice. The tenant
// is kept from the indices ("|| ”"): a planner without statistics would read all its devices instead.
var sharing = devices.selects(`WHERE identity IN ? AND tenant || '' = ?`) +
	` UNION ALL ` + devices.selects(`WHERE serial_fold IN ? AND serial_crowded = 0 AND tenant || '' = ?`) +
	` UNION ALL ` + devices.selects(`WHERE uuid <> '' AND uuid_crowded = 0 AND uuid IN ? AND tenant || '' = ?`)

// lookUp reads everything that the rows may be related to.
func (t tx) lookUp(ctx context.Context, tenant device.TenantID, rows []*intake.Candidate) (*known, error) {
	k := &known{device.NewIndex(), map[string]*record{}}
	if len(rows) == 0 {
		return k, nil
	}
	var keys, serials, uuids []string
	for _, c := range rows {
		keys = append(keys, string(c.Key))
		if c.Capture.ComparesSerial() {
			serials = append(serials, c.Capture.Serial.Fold())
		}
		if c.Capture.ComparesUUID() {
			uuids = append(uuids, hexText(c.Capture.UUID[:]))
		}
	}
	found, err := query(ctx, t.conn, devices.scan, sharing, keys, tenant, serials, tenant, uuids, tenant)
	if err != nil {
		return nil, err
	}
	k.addAll(found)
	return k, t.lookUpClaimed(ctx, k, tenant, rows)
}

// lookUpClaimed reads the devices that are kept under keys of their captures, because too many claim their own keys.
func (t tx) lookUpClaimed(ctx context.Context, k *known, tenant device.TenantID, rows []*intake.Candidate) error {
	var keys []string
	for _, c := range rows {
		if key, claimed := k.KeyOfCapture(c.Candidate); claimed {
			keys = append(keys, string(key))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	found, err := devices.find(ctx, t.conn, `WHERE identity IN ? AND tenant || '' = ?`, keys, tenant)
	k.addAll(found)
	return err
}

func (k *known) addAll(found []*record) {
	for _, r := range found {
		if k.byID[r.ID] == nil {
			k.add(r)
		}
	}
}

// add makes a device findable by what it is known by now.
func (k *known) add(r *record) {
	k.byID[r.ID] = r
	k.Add(&r.Known)
}
