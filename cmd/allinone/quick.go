package allinone

import (
	"time"

	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/slowness"
	"taxiway.example/services/grouper"
	"taxiway.example/services/importer"
)

// Quick shortens every wait so far that a simulator with short delays decides the speed: for demonstrations and tests.
// On a slow machine it shortens them less. Against Microsoft's service it would only burn the tenant's budget.
func (c Config) Quick() Config {
	machine := slowness.Factor()
	ms := func(n float64) time.Duration { return time.Duration(n * machine * float64(time.Millisecond)) }
	often := dispatch.Timings{Interval: ms(50), Lease: ms(2000), Overdue: ms(3000)}
	c.Timeout = ms(10_000)
	c.Collector.Intake.Grace = ms(2000)
	c.Collector.Intake.Recheck = ms(100)
	c.Importer.Dispatch = often
	c.Grouper.Dispatch = often
	c.Importer.Timings = importer.Timings{
		Claim: ms(6000), Lost: ms(11_000), PollFirst: ms(60), PollMax: ms(1000), Invisible: ms(30_000),
		RetryFirst: ms(200),
		RetryMax:   ms(2000), Denied: ms(1000), Unavailable: ms(200), Grace: ms(2000), Cleanup: ms(200),
		Sync: -1,
	}
	c.Grouper.Timings = grouper.Timings{
		First: ms(60),
		Max:   ms(1000), Denied: ms(1000), Grace: ms(2000), Vanish: ms(30_000), Groups: ms(500), Members: ms(30),
		Sync: -1,
	}
	return c
}
