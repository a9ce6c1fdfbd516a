// Package budget says at which rate a tenant's share of Microsoft Graph may be spent.
package budget

import "time"

// Rate is a token bucket: Limit tokens each Window, refilled evenly, at most Limit at once. Limit 0 means no limit.
type Rate struct {
	Limit  int
	Window time.Duration
	Whole  bool // a taker of many waits until all of them are there, and so for whoever takes fewer
}
