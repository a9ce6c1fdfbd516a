package ledgertest

import (
	"sync"
	"sync/atomic"
	"time"

	"taxiway.example/pkg/budget"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

var budgets = map[string]func(*fixture){
	"Budget/Refill":     budgetRefill,
	"Budget/Many":       budgetMany,
	"Budget/Fair":       budgetFair,
	"Budget/Whole":      budgetWhole,
	"Budget/Contention": budgetContention,
	"Budget/Shut":       budgetShut,
	"Lease/Owner":       leaseOwner,
	"Lease/AtOnce":      leaseAtOnce,
}

var writes = budget.Rate{Limit: 10, Window: 20 * time.Second}

func (b *fixture) take(tenant device.TenantID, bucket string, n int, r budget.Rate, at time.Time) time.Duration {
	b.Helper()
	wait, err := b.Take(b.Context(), tenant, bucket, n, r, at)
	b.must(err)
	return wait
}

func budgetRefill(b *fixture) {
	t0 := now()
	for range 10 {
		b.same(b.take(contoso, "write", 1, writes, t0), time.Duration(0))
	}
	b.same(b.take(contoso, "write", 1, writes, t0), 2*time.Second)
	b.same(b.take(contoso, "write", 3, writes, t0), 2*time.Second) // it may owe two
	b.same(
		b.take(contoso, "write", 1, writes, t0.Add(2*time.Second)),
		time.Duration(0),
	) // nothing was taken while waiting
	b.same(b.take(contoso, "write", 1, writes, t0.Add(2*time.Second)), 2*time.Second)
	b.same(b.take(contoso, "read", 1, writes, t0), time.Duration(0))
	b.same(b.take(fabrikam, "write", 1, writes, t0), time.Duration(0))
	b.same(b.take(contoso, "write", 10, writes, t0.Add(time.Hour)), time.Duration(0)) // no more than Limit has gathered
	b.same(b.take(contoso, "write", 1, writes, t0.Add(time.Hour)), 2*time.Second)
	b.same(b.take(contoso, "free", 1000, budget.Rate{}, t0), time.Duration(0))
}

func budgetMany(b *fixture) {
	t0 := now()
	b.same(b.take(contoso, "write", 15, writes, t0), time.Duration(0))
	b.same(b.take(contoso, "write", 15, writes, t0), 12*time.Second)
	b.same(b.take(contoso, "write", 1, writes, t0), 12*time.Second) // it owes five
	b.same(b.take(contoso, "write", 1, writes, t0.Add(12*time.Second)), time.Duration(0))
}

// budgetWhole: one who waits for all leaves what is there to others.
func budgetWhole(b *fixture) {
	patient := writes
	t0 := now()
	patient.Whole = true
	b.same(b.take(contoso, "write", 8, patient, t0), time.Duration(0))
	b.same(b.take(contoso, "write", 5, patient, t0), 6*time.Second) // two are there
	b.same(b.take(contoso, "write", 1, patient, t0), time.Duration(0))
	b.same(b.take(contoso, "write", 15, patient, t0), 18*time.Second) // as many as there can be
	b.same(b.take(contoso, "write", 15, patient, t0.Add(18*time.Second)), time.Duration(0))
}

// budgetFair: one who takes many at once, and comes first every third time, is not starved by one who takes what is
// there.
func budgetFair(b *fixture) {
	at := now()
	singles := 0
	manys := 0
	for i := range 600 { // every tenth of a second for a minute
		at = at.Add(100 * time.Millisecond)
		if i%3 == 0 && b.take(contoso, "write", 5, writes, at) == 0 {
			manys++
		}
		for b.take(contoso, "write", 1, writes, at) == 0 {
			singles++
		}
	}
	if total := singles + 5*manys; manys < 2 || singles < 2 || total > 10+30+4 {
		b.Errorf("%d single tokens and %d times five in a minute", singles, manys)
	}
}

func budgetContention(b *fixture) {
	rate := budget.Rate{Limit: 40, Window: 20 * time.Second}
	t0 := now()
	var mu sync.Mutex
	taken := map[int]int{} // second → tokens
	other := b.open(b.T)   // a second replica
	together(12, func(i int) {
		replica := []ledger.Ledger{b.Ledger, other}[i%2]
		for second := range 12 {
			for range 4 {
				wait, err := replica.Take(
					b.Context(),
					contoso,
					"write",
					1,
					rate,
					t0.Add(time.Duration(second)*time.Second),
				)
				if err != nil {
					b.Error(err)
					return
				}
				if wait == 0 {
					mu.Lock()
					taken[second]++
					mu.Unlock()
				}
			}
		}
	})
	total := 0
	for second := range 12 {
		total += taken[second]
	}
	if most := rate.Limit + rate.Limit*11/20; total > most || total < rate.Limit {
		b.Errorf("%d tokens in 12 s, at most %d", total, most)
	}
}

func budgetShut(b *fixture) {
	t0 := now()
	b.must(b.Shut(b.Context(), contoso, t0.Add(time.Minute), fault.GraphThrottled))
	b.must(b.Shut(b.Context(), contoso, t0.Add(time.Second), fault.GraphThrottled)) // does not shorten
	for _, bucket := range []string{"write", "read"} {
		b.same(b.take(contoso, bucket, 1, writes, t0), time.Minute)
		b.same(b.take(contoso, bucket, 1, writes, t0.Add(59*time.Second)), time.Second)
	}
	b.same(b.take(fabrikam, "write", 1, writes, t0), time.Duration(0))
	b.must(b.Shut(b.Context(), contoso, t0.Add(2*time.Minute), fault.GraphThrottled)) // lengthens
	b.same(b.take(contoso, "write", 1, writes, t0.Add(time.Minute)), time.Minute)
	b.same(b.take(contoso, "write", 10, writes, t0.Add(2*time.Minute)), time.Duration(0))
}

func leaseOwner(b *fixture) {
	t0 := now()
	held := func(owner string, at time.Time) bool {
		b.Helper()
		ok, err := b.Acquire(b.Context(), "dispatch.import", owner, 10*time.Second, at)
		b.must(err)
		return ok
	}
	b.same(held("a", t0), true)
	b.same(held("b", t0.Add(9*time.Second)), false)
	b.same(held("a", t0.Add(5*time.Second)), true) // renewed until 15
	b.same(held("b", t0.Add(14*time.Second)), false)
	b.same(held("b", t0.Add(15*time.Second)), true) // expired
	b.same(held("a", t0.Add(16*time.Second)), false)
	b.must(b.Release(b.Context(), "dispatch.import", "a")) // not the owner
	b.same(held("a", t0.Add(17*time.Second)), false)
	b.must(b.Release(b.Context(), "dispatch.import", "b"))
	b.same(held("a", t0.Add(18*time.Second)), true)
	other, err := b.Acquire(b.Context(), "dispatch.group", "b", time.Second, t0)
	b.must(err)
	b.same(other, true)
}

func leaseAtOnce(b *fixture) {
	for round := range 5 {
		var holders atomic.Int32
		together(16, func(i int) {
			at := now().Add(time.Duration(round) * time.Hour)
			ok, err := b.Acquire(b.Context(), "x", string(rune('a'+i)), time.Minute, at)
			if err != nil {
				b.Error(err)
			}
			if ok {
				holders.Add(1)
			}
		})
		b.same(holders.Load(), int32(1))
	}
}
