// Package autopilot speaks Windows Autopilot over Microsoft Graph in Microsoft's own nouns: imported device identities,
// Autopilot device identities, Entra devices and dynamic groups.
//
// It says what the service said and what a code means, never what to do about it. Errors are faults as package graph
// returns them. Serial numbers and hashes never reach an error or a log record.
package autopilot

import (
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"taxiway.example/pkg/graph"
)

const (
	importedPath = "/deviceManagement/importedWindowsAutopilotDeviceIdentities"
	identityPath = "/deviceManagement/windowsAutopilotDeviceIdentities"
	settingsPath = "/deviceManagement/windowsAutopilotSettings"
)

// Options are what is uncertain about the service and can be decided by configuration.
type Options struct {
	// ScanImports lists all imported identities and picks those of an import here, instead of asking with a $filter. A
	// client whose filter was refused, or was seen not to be honoured, does so by itself from then on.
	ScanImports bool
	Now         func() time.Time // default time.Now
}

// Client speaks to Autopilot for one tenant. It is safe for concurrent use.
type Client struct {
	graph   *graph.Client
	scan    atomic.Bool // list imported identities without a filter
	listing *listing
}

// New returns a client over a Graph client.
func New(g *graph.Client, o Options) *Client {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Client{graph: g, listing: newListing(o.Now)}
	c.scan.Store(o.ScanImports)
	return c
}

// Lookup is what became of one of many things asked for.
type Lookup[T any] struct {
	Value T
	Err   error // fault.GraphNotFound when it does not exist
}

// eq is an OData comparison with a string.
func eq(property, value string) string { return property + " eq " + quote(value) }

// quote makes an OData string literal: a single quote is doubled (OASIS OData 4.01 URL Conventions, section 5.1.1.6.1).
func quote(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }

func filter(expression string) url.Values { return url.Values{"$filter": {expression}} }

func identityOf(id, action string) string {
	path := identityPath + "/" + url.PathEscape(id)
	if action != "" {
		path += "/" + action
	}
	return path
}
