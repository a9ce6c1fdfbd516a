package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"taxiway.example/cmd/allinone"
	"taxiway.example/pkg/slowness"
	"taxiway.example/pkg/tenant"
)

// childVariable names the file with the order of a pipeline that runs as a process of its own: this test program again.
const childVariable = "TAXIWAY_E2E_CHILD"

// order is what such a process is to do. Its listener is file 3; it drains when its standard input ends.
type order struct {
	Ledger, Broker string
	Tenants        []tenant.Tenant
	Name           string // said to Microsoft's side, to tell replicas apart
	Passed         string // file that gets a line for each boundary passed
	Kill           string // boundary at which the process kills itself; "" is none
	// the how manieth time the boundary is passed; with an empty Kill, the how manieth boundary at all
	Nth int
}

func childMain(file string) int {
	if err := runChild(file); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	return 0
}

func runChild(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var o order
	if err := json.Unmarshal(raw, &o); err != nil {
		return err
	}
	ln, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	tenants, err := tenant.NewDirectory(o.Tenants...)
	if err != nil {
		return err
	}
	passed, err := os.OpenFile(o.Passed, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	c := hasty(allinone.Config{Ledger: o.Ledger, Broker: o.Broker, Tenants: tenants, Listener: ln}.Quick())
	c.Hooks = (&tripwire{order: o, passed: passed, seen: map[string]int{}}).hooks()
	return allinone.Run(ctx, c, Env(os.Stderr))
}

// hasty shortens what a restart waits for: leases of the dead, and looks at what they left.
func hasty(c allinone.Config) allinone.Config {
	machine := slowness.Factor()
	ms := func(n float64) time.Duration { return time.Duration(n * machine * float64(time.Millisecond)) }
	c.Timeout = ms(4000)
	c.Collector.Intake.Grace = ms(1000)
	c.Importer.Lease = ms(2000)
	c.Grouper.Lease = ms(2000)
	d := &c.Importer.Dispatch
	d.Interval = ms(100)
	d.Lease = ms(1000)
	d.Overdue = ms(1500)
	c.Grouper.Dispatch = *d
	i := &c.Importer.Timings
	i.Claim = ms(2000)
	i.Lost = ms(3000)
	i.PollMax = ms(500)
	i.RetryFirst = ms(100)
	i.Grace = ms(1000)
	i.Cleanup = ms(100)
	c.Grouper.Timings.Grace = ms(1000)
	return c
}
