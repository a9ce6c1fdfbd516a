package autopilot

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
)

// EntraDevice is a device object of Entra ID.
type EntraDevice struct {
	ObjectID    string // id: what group members are listed by
	DeviceID    string // deviceId: what the Autopilot identity refers to
	PhysicalIDs []string
}

// The prefixes of physicalIds entries; sources write them in different case.
const (
	prefixOrderID = "[OrderID]:"
	prefixZTDID   = "[ZTDID]:"
)

// GroupTag returns the group tag that the device carries in Entra (Microsoft page "device resource type", physicalIds).
func (d EntraDevice) GroupTag() (tag string, ok bool) { return d.physicalID(prefixOrderID) }

// AutopilotID returns the id of the device's Autopilot identity.
func (d EntraDevice) AutopilotID() (id string, ok bool) { return d.physicalID(prefixZTDID) }

func (d EntraDevice) physicalID(prefix string) (string, bool) {
	for _, entry := range d.PhysicalIDs {
		if value, ok := cutPrefixFold(entry, prefix); ok {
			return value, true
		}
	}
	return "", false
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

type entraWire struct {
	ObjectID    string   `json:"id"`
	DeviceID    string   `json:"deviceId"`
	PhysicalIDs []string `json:"physicalIds"`
}

// EntraDevices reads device objects by deviceId (Microsoft page "List devices"), twenty to a round trip. Every id has a
// Lookup.
func (c *Client) EntraDevices(ctx context.Context, deviceIDs []string) map[string]Lookup[EntraDevice] {
	requests := make([]graph.Request, len(deviceIDs))
	for i, id := range deviceIDs {
		query := filter(eq("deviceId", id))
		query.Set("$select", "id,deviceId,physicalIds")
		requests[i] = graph.Request{Method: http.MethodGet, Path: "/devices", Query: query}
	}
	found := make(map[string]Lookup[EntraDevice], len(deviceIDs))
	for i, result := range c.graph.Batch(ctx, graph.V1, requests) {
		found[deviceIDs[i]] = entraLookup(result, deviceIDs[i])
	}
	return found
}

func entraLookup(result graph.Result, deviceID string) Lookup[EntraDevice] {
	var answer struct {
		Value []entraWire `json:"value"`
	}
	if err := result.Decode(&answer); err != nil {
		return Lookup[EntraDevice]{Err: err}
	}
	for _, w := range answer.Value {
		if strings.EqualFold(w.DeviceID, deviceID) {
			return Lookup[EntraDevice]{Value: EntraDevice(w)}
		}
	}
	return Lookup[EntraDevice]{Err: fault.New(fault.GraphNotFound, "no Entra device with this deviceId")}
}

// Members iterates over the object ids of a group's direct members, page by page (Microsoft page "List group members").
// Breaking off spares the pages that are left.
func (c *Client) Members(ctx context.Context, groupID string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		r := graph.Request{
			Version: graph.V1, Path: "/groups/" + url.PathEscape(groupID) + "/members",
			Query: url.Values{"$select": {"id"}, "$top": {"999"}},
		}
		type member struct{ ID string }
		for m, err := range graph.List(ctx, c.graph, r, func(m member) string { return m.ID }) {
			if !yield(m.ID, err) {
				return
			}
		}
	}
}
