package e2e

import (
	"context"
	"sync/atomic"
	"testing"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/ledger/postgres/pgcluster"
	"taxiway.example/pkg/ledger/sqlledger"
)

// The database server crashes again and again while devices are in flight, whenever some more commits are under way,
// and comes back with what it had committed. Nothing is lost, and nothing is sent twice.
func TestDatabaseCrashes(t *testing.T) {
	t.Parallel()
	const least, most = 3, 6 // crashes
	const apart = 9          // commits between two
	starting, started := awaittest.Context(t.Context())
	defer started()
	cluster, err := pgcluster.Start(starting, pgcluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	url, err := cluster.Create(t.Context(), "ledger")
	if err != nil {
		t.Fatal(err)
	}
	file := demo(t, 60)
	w := newFixture(t, simulator.Fast(), 1, nil)
	w.plant(t, file)
	s := natsEmbedded(t)
	s.ledger = url
	c := hasty(w.config(t, s))
	var begun atomic.Int64
	now := make(chan struct{})
	c.Hooks.Trace = func(op, phase string) {
		if op == "health" || phase != sqlledger.PhaseCommit || begun.Add(1)%apart != 0 {
			return
		}
		select {
		case now <- struct{}{}: // somebody waits for the next crash, which meets this commit
		default:
		}
	}
	p := start(t, c)
	b := p.submit(t, 1, file.CSV)
	ctx, rest := context.WithCancel(t.Context())
	defer rest()
	crashed := make(chan int)
	go func() {
		n := 0
		defer func() { crashed <- n }()
		for n < most {
			select {
			case <-now:
			case <-ctx.Done():
				return
			}
			restarting, restarted := awaittest.Context(t.Context())
			err := cluster.Crash(restarting)
			restarted()
			if err != nil {
				t.Error(err)
				return
			}
			n++
		}
	}()
	end := p.finished(t, b)
	rest()
	if n := <-crashed; n < least {
		t.Errorf("%d crashes", n)
	}
	if end.States["ready"] != 53 || end.States["held"] != 1 {
		t.Errorf("unexpected end: %+v", end)
	}
	w.sentOnce(t)
	p.keepsQuiet(t, file)
}
