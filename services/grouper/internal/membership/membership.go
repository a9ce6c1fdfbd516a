// Package membership is the second step: Entra's device object carries the group tag, and the tag's dynamic group has
// picked the device up. Groups and their members are read once for all devices that wait at the same time.
package membership

import (
	"context"
	"iter"
	"strings"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/grouper/internal/step"
)

// Devices reads Entra device objects; autopilot.Client does.
type Devices interface {
	EntraDevices(ctx context.Context, deviceIDs []string) map[string]autopilot.Lookup[autopilot.EntraDevice]
}

// Groups reads dynamic groups and their members; autopilot.Client does.
type Groups interface {
	DynamicGroups(ctx context.Context) ([]autopilot.Group, error)
	Members(ctx context.Context, groupID string) iter.Seq2[string, error]
}

// Entra is one tenant's directory.
type Entra interface {
	Devices
	Groups
}

// Checker decides about memberships of all tenants. It is safe for concurrent use.
type Checker struct {
	groups  *cache[device.TenantID, []autopilot.Group]
	members *cache[groupKey, map[string]bool]
}

type groupKey struct {
	tenant device.TenantID
	group  string
}

// New returns a Checker that trusts a list of groups for groupTTL and a list of members for memberTTL.
func New(groupTTL, memberTTL time.Duration, now func() time.Time) *Checker {
	return &Checker{
		groups:  newCache[device.TenantID, []autopilot.Group](groupTTL, now),
		members: newCache[groupKey, map[string]bool](memberTTL, now),
	}
}

// Decide takes tagged devices to Grouped. A device without a tag needs no group.
func (c *Checker) Decide(ctx context.Context, e Entra, t tenant.Tenant, cases []step.Case) []step.Decision {
	objects := e.EntraDevices(ctx, deviceIDs(cases))
	groups := map[string]groupOfTag{} // by tag: asked for once, whatever the answer
	decisions := make([]step.Decision, len(cases))
	for i, k := range cases {
		tag := k.Device.Tag
		id := EntraID(k)
		patch := ledger.Patch{}
		if id != "" {
			patch.EntraDeviceID = &id
		}
		err := visible(tag, id, objects[id])
		if err == nil && tag != "" {
			g, known := groups[tag]
			if !known {
				g = c.read(ctx, e, t, tag)
				groups[tag] = g
			}
			err = g.check(objects[id].Value.ObjectID)
		}
		if err != nil {
			decisions[i] = step.Stays(err)
			continue
		}
		decisions[i] = step.Reached(device.Grouped, patch)
	}
	return decisions
}

// EntraID is the deviceId of the case's Entra device, "" while Autopilot names none.
func EntraID(k step.Case) string {
	if k.Identity.EntraDeviceID != "" {
		return k.Identity.EntraDeviceID
	}
	return k.Device.EntraDeviceID
}

// deviceIDs are those of the devices that need a group and have an Entra device.
func deviceIDs(cases []step.Case) (ids []string) {
	for _, k := range cases {
		if id := EntraID(k); id != "" && k.Device.Tag != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// visible says what keeps a device with a tag from being looked for in the tag's group.
func visible(tag, id string, object autopilot.Lookup[autopilot.EntraDevice]) error {
	switch {
	case tag == "":
		return nil
	case id == "":
		return fault.New(fault.GroupEntraPending, "Autopilot names no Entra device yet")
	case fault.Is(object.Err, fault.GraphNotFound):
		return fault.New(fault.GroupEntraPending, "Entra does not show device "+id+" yet")
	case object.Err != nil:
		return object.Err
	}
	if carried, _ := object.Value.GroupTag(); !strings.EqualFold(carried, tag) {
		return fault.Newf(fault.GroupTagPending, "wanted %q, the Entra device carries %q", tag, carried)
	}
	return nil
}

// groupOfTag is a tag's group with its members, or why there is none.
type groupOfTag struct {
	group   autopilot.Group
	members map[string]bool
	err     error
}

func (g groupOfTag) check(object string) error {
	switch {
	case g.err != nil:
		return g.err
	case g.members[object]:
		return nil
	case g.group.Paused:
		return fault.Newf(fault.GroupMembershipPending, "the rule of group %s (%s) is paused", g.group.ID, g.group.Name)
	}
	return fault.Newf(
		fault.GroupMembershipPending,
		"not yet a member of group %s",
		strings.TrimSpace(g.group.ID+" "+g.group.Name),
	)
}

func (c *Checker) read(ctx context.Context, e Entra, t tenant.Tenant, tag string) groupOfTag {
	group, err := c.groupOf(ctx, e, t, tag)
	if err != nil {
		return groupOfTag{err: err}
	}
	members, err := c.members.get(
		groupKey{t.ID, group.ID},
		func() (map[string]bool, error) { return readMembers(ctx, e, group.ID) },
	)
	if fault.Is(err, fault.GraphNotFound) {
		c.groups.drop(t.ID)
		err = fault.Newf(fault.GroupNone, "group %s does not exist", group.ID)
	}
	return groupOfTag{group, members, err}
}

// groupOf returns the tag's group: the configured one, or the one whose rule picks the tag.
func (c *Checker) groupOf(ctx context.Context, e Entra, t tenant.Tenant, tag string) (autopilot.Group, error) {
	if id := t.GroupFor(tag); id != "" {
		return autopilot.Group{ID: id}, nil
	}
	groups, err := c.groups.get(t.ID, func() ([]autopilot.Group, error) { return e.DynamicGroups(ctx) })
	if err != nil {
		return autopilot.Group{}, err
	}
	group, ok := autopilot.GroupOf(groups, tag)
	if !ok {
		return group, fault.Newf(fault.GroupNone, "none of %d dynamic groups has a rule for tag %q", len(groups), tag)
	}
	return group, nil
}

// readMembers reads the whole group, for all devices that wait for it: a list kept for a moment is cheaper than many
// searches that stop early.
func readMembers(ctx context.Context, e Groups, id string) (map[string]bool, error) {
	members := map[string]bool{}
	for object, err := range e.Members(ctx, id) {
		if err != nil {
			return nil, err
		}
		members[object] = true
	}
	return members, nil
}
