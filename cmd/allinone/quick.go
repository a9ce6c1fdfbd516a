package allinone

import (
	"time"

	"taxiway.example/pkg/dispatch"
	"taxiway.example/services/collector"
	"taxiway.example/services/grouper"
	"taxiway.example/services/importer"
)

// Quick shortens every wait so far that a simulator with short delays decides the speed: for demonstrations and tests. Against
// Microsoft's service it would only burn the tenant's budget.
func (c Config) Quick() Config {
	looks := dispatch.Config{Interval: 50 * time.Millisecond, Lease: 2 * time.Second, Overdue: 3 * time.Second}
	c.Collector.Intake = collector.Intake{Grace: 2 * time.Second}
	c.Importer.Dispatch, c.Grouper.Dispatch = looks, looks
	c.Importer.Timings = importer.Timings{
		Post: 5 * time.Second, Claim: 6 * time.Second, Settle: 11 * time.Second, PollFirst: 60 * time.Millisecond,
		PollMax: time.Second, Invisible: 30 * time.Second, RetryFirst: 200 * time.Millisecond, RetryMax: 2 * time.Second,
		Denied: time.Second, Unavailable: 200 * time.Millisecond, Grace: 2 * time.Second, Cleanup: 200 * time.Millisecond,
	}
	c.Grouper.Timings = grouper.Timings{
		First: 60 * time.Millisecond, Max: time.Second, Denied: time.Second, Grace: 2 * time.Second, Vanish: 30 * time.Second,
		Groups: 500 * time.Millisecond, Members: 30 * time.Millisecond, Sync: -1,
	}
	return c
}
