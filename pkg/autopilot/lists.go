package autopilot

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"taxiway.example/pkg/graph"
)

// PageSize is how many identities or devices a page of a list holds when the service goes along (observed; Microsoft
// page "Paging Microsoft Graph data in your app" leaves the size to the service).
const PageSize = 1000

// pageSize asks for it. Never ask for small pages: the cursor of identities is a serial number, and a page full of one
// serial number cannot be passed.
const pageSize = "1000"

// AllIdentities iterates over all registered devices of the tenant, page by page (Microsoft page "List
// windowsAutopilotDeviceIdentities", beta for the profile). Breaking off spares the pages that are left. A device that
// is not in the list may exist all the same: the list may lag behind, and the device may be newer than the page it
// belongs to.
func (c *Client) AllIdentities(ctx context.Context) iter.Seq2[Identity, error] {
	r := graph.Request{Version: graph.Beta, Path: identityPath, Query: url.Values{"$top": {pageSize}}}
	list := graph.List(ctx, c.graph, r, func(w identityWire) string { return w.ID })
	return func(yield func(Identity, error) bool) {
		for w, err := range list {
			if !yield(w.identity(), err) {
				return
			}
		}
	}
}

// AllEntraDevices iterates over the tenant's device objects that have an Autopilot identity, page by page (Microsoft
// page "List devices", as an advanced query: Microsoft page "Advanced query capabilities on Microsoft Entra ID
// objects"). Of the physicalIds only those of Autopilot are kept. Where advanced queries are refused the first step is
// a fault.GraphBadRequest.
func (c *Client) AllEntraDevices(ctx context.Context) iter.Seq2[EntraDevice, error] {
	query := filter("physicalIds/any(p:startswith(p,'[ZTDID]'))")
	query.Set("$select", "id,deviceId,physicalIds")
	query.Set("$count", "true")
	query.Set("$top", "999")
	r := graph.Request{Version: graph.V1, Path: "/devices", Query: query, Header: http.Header{}}
	r.Header.Set("ConsistencyLevel", "eventual")
	list := graph.List(ctx, c.graph, r, func(w entraWire) string { return w.ObjectID })
	return func(yield func(EntraDevice, error) bool) {
		for w, err := range list {
			w.PhysicalIDs = slices.DeleteFunc(w.PhysicalIDs, foreign)
			if !yield(EntraDevice(w), err) {
				return
			}
		}
	}
}

// foreign reports whether an entry of physicalIds is none of Autopilot's.
func foreign(entry string) bool {
	_, tag := cutPrefixFold(entry, prefixOrderID)
	_, id := cutPrefixFold(entry, prefixZTDID)
	return !tag && !id
}
