package grouping

import (
	"context"
	"maps"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/membership"
	"taxiway.example/services/grouper/internal/snapshot"
	"taxiway.example/services/grouper/internal/step"
	"taxiway.example/services/grouper/internal/tagging"
)

// lists answer for many devices of a tenant at once.
type lists struct {
	identities *snapshot.Lists[autopilot.Identity]
	devices    *snapshot.Lists[autopilot.EntraDevice]
}

func newLists(t Timings, now func() time.Time) lists {
	c := snapshot.Config{Keep: t.Members, Rows: t.MaxListed, Again: t.Denied, Now: now}
	return lists{
		identities: snapshot.New(c, func(i autopilot.Identity) string { return i.ID }, slimIdentity),
		devices: snapshot.New(c, func(d autopilot.EntraDevice) string { return d.DeviceID },
			func(d autopilot.EntraDevice) autopilot.EntraDevice { return d }),
	}
}

// slimIdentity keeps what the steps ask for.
func slimIdentity(i autopilot.Identity) autopilot.Identity {
	return autopilot.Identity{
		ID: i.ID, GroupTag: i.GroupTag, User: i.User, EntraDeviceID: i.EntraDeviceID,
		Profile: i.Profile, ProfileDetail: i.ProfileDetail, ProfileAt: i.ProfileAt,
	}
}

// read returns the Autopilot identities of all devices that have one. What comes from a list is good enough to go on or
// to wait; before anything is written because of it, or taken back, the device is read by itself.
func (l lists) read(
	ctx context.Context,
	client Identities,
	t tenant.Tenant,
	cases []step.Case,
) map[string]autopilot.Lookup[autopilot.Identity] {
	var asked []snapshot.Asked
	for _, c := range cases {
		if c.Device.RegistrationID != "" {
			asked = append(asked, snapshot.Asked{ID: c.Device.RegistrationID, Since: c.Device.Updated})
		}
	}
	found, listed := l.identities.Find(
		ctx,
		t.ID,
		asked,
		snapshot.Source[autopilot.Identity]{Some: client.Identities, All: client.AllIdentities},
	)
	var doubtful []string
	for _, c := range cases {
		id := c.Device.RegistrationID
		c.Identity = found[id].Value
		writes := c.Device.State == device.Registered && tagging.Writes(t, c)
		if listed[id] && (writes || tagging.Changed(c)) {
			doubtful = append(doubtful, id)
		}
	}
	if len(doubtful) > 0 {
		maps.Copy(found, client.Identities(ctx, doubtful))
	}
	return found
}

// entra is a tenant's directory whose devices are looked up in lists where there are many.
type entra struct {
	Autopilot
	lists  lists
	tenant device.TenantID
	since  map[string]time.Time // by deviceId
}

func (s *Service) entra(client Autopilot, t tenant.Tenant, cases []step.Case) entra {
	since := make(map[string]time.Time, len(cases))
	for _, c := range cases {
		since[membership.EntraID(c)] = c.Device.Updated
	}
	return entra{client, s.lists, t.ID, since}
}

// EntraDevices returns a Lookup for every id.
func (e entra) EntraDevices(ctx context.Context, ids []string) map[string]autopilot.Lookup[autopilot.EntraDevice] {
	asked := make([]snapshot.Asked, len(ids))
	for i, id := range ids {
		asked[i] = snapshot.Asked{ID: id, Since: e.since[id]}
	}
	found, _ := e.lists.devices.Find(ctx, e.tenant, asked, snapshot.Source[autopilot.EntraDevice]{
		Some: e.Autopilot.EntraDevices, All: e.AllEntraDevices,
	})
	return found
}
