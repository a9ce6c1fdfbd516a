package sqlledger

import (
	"context"
	"slices"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/intake"
)

// known finds devices by the evidence that rows may share with them.
type known struct{ byIdentity, bySerial, byUUID map[string][]*record }

// sharing selects the devices of a tenant that share a piece of evidence with any of the rows, some of them twice. The
// tenant is kept from the indices ("|| ”"): a planner without statistics would read all its devices instead.
var sharing = devices.selects(`WHERE identity IN ? AND tenant || '' = ?`) +
	` UNION ALL ` + devices.selects(`WHERE serial_fold IN ? AND tenant || '' = ?`) +
	` UNION ALL ` + devices.selects(`WHERE uuid <> '' AND uuid IN ? AND tenant || '' = ?`)

// lookUp reads everything that the rows may be related to.
func (t tx) lookUp(ctx context.Context, tenant device.TenantID, rows []*intake.Candidate) (*known, error) {
	k := &known{map[string][]*record{}, map[string][]*record{}, map[string][]*record{}}
	if len(rows) == 0 {
		return k, nil
	}
	var identities, serials, uuids []string
	for _, c := range rows {
		identities = append(identities, string(c.Key))
		if c.Capture.HasSerial() {
			serials = append(serials, c.Capture.Serial.Fold())
		}
		if c.Capture.HasUUID() {
			uuids = append(uuids, hexText(c.Capture.UUID[:]))
		}
	}
	found, err := query(ctx, t.conn, devices.scan, sharing, identities, tenant, serials, tenant, uuids, tenant)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool, len(found))
	for _, r := range found {
		if !seen[r.ID] {
			k.add(r)
		}
		seen[r.ID] = true
	}
	return k, nil
}

// add makes a device findable by what it is known by now.
func (k *known) add(r *record) {
	put := func(m map[string][]*record, key string) {
		if key != "" && !slices.Contains(m[key], r) {
			m[key] = append(m[key], r)
		}
	}
	put(k.byIdentity, string(r.Key))
	put(k.bySerial, r.Serial.Fold())
	put(k.byUUID, hexText(r.uuid[:]))
}

// related returns the devices that share a piece of evidence with the row, some of them twice.
func (k *known) related(c *intake.Candidate) []*record {
	all := slices.Clone(k.byIdentity[string(c.Key)])
	if c.Capture.HasSerial() {
		all = append(all, k.bySerial[c.Capture.Serial.Fold()]...)
	}
	if c.Capture.HasUUID() {
		all = append(all, k.byUUID[hexText(c.Capture.UUID[:])]...)
	}
	return all
}
