package submission_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/device"
	"taxiway.example/services/importer/internal/submission"
)

// Every event again, in any order, when everything is over: nothing changes and nothing is written at Autopilot.
func TestFullRedeliveryChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, brisk)
		var ids []string
		for _, name := range slices.Sorted(maps.Keys(scenarios)) {
			ids = append(ids, scenarios[name](t, r)...)
		}
		first := r.collected(contoso, ids...)
		events := []work{func(s *submission.Service) error { return handleWith(s, first) }}
		all := map[device.TenantID][]string{contoso: ids}
		for !r.finished(all) {
			due := r.due()
			events = append(events, due...)
			for _, do := range due {
				if err := do(&r.Service); err != nil {
					t.Fatal(err)
				}
			}
			r.rest(len(due) > 0)
		}
		photograph := func() []string {
			var all []string
			for _, id := range ids {
				d := r.device(contoso, id)
				all = append(all, fmt.Sprintf("%s %s v%d %s", d.State, d.Code, d.Version, d.Due))
			}
			for _, sub := range r.begun.all {
				got, err := r.ledger.Submission(t.Context(), contoso, sub.ID)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, fmt.Sprintf("%s v%d %s", got.State, got.Version, got.Due))
			}
			return append(all, fmt.Sprint(len(r.posts()), len(r.sim.Log(deleting)), len(r.events.all)))
		}
		before := photograph()
		slices.Reverse(events)
		for _, do := range events {
			if err := do(&r.Service); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(before, photograph()); diff != "" {
			t.Errorf("redelivery changed something (-before +after):\n%s", diff)
		}
	})
}

// An old event does not cut short what a device waits for.
func TestRedeliveryDoesNotCutAWaitShort(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFixture(t, t, knobs{})
		h := machine(t, 1)
		r.outcome(h, 1, simulator.Outcome{Name: "StorageError", Code: 640})
		ids := r.accept(contoso, h)
		first := r.collected(contoso, ids...)
		if err := r.handle(first); err != nil {
			t.Fatal(err)
		}
		for r.device(contoso, ids[0]).State != device.Collected {
			r.step()
		}
		time.Sleep(5 * time.Second)
		if err := r.handle(first); err != nil {
			t.Fatal(err)
		}
		if n := r.postsOf(h); n != 1 {
			t.Errorf("posted %d times before it was due", n)
		}
		r.run(time.Hour, map[device.TenantID][]string{contoso: ids})
		if n := r.postsOf(h); n != 2 {
			t.Errorf("posted %d times", n)
		}
	})
}

// Two processes get every event at the same time. No device is in two imports, and together they keep to the tenant's
// budget.
func TestTwoImporters(t *testing.T) {
	bubble(t, func(t *testing.T) {
		tenants := configured(contoso)
		tenants[0].Limits.Writes = 6
		tenants[0].Limits.ImportSize = 4
		r := newFixture(t, t, knobs{sim: slow(), tenants: tenants})
		ids := r.accept(contoso, machines(t, 1, 24)...)
		twin := r.Service
		all := map[device.TenantID][]string{contoso: ids}
		for end := time.Now().Add(24 * time.Hour); !r.finished(all); {
			if time.Now().After(end) {
				t.Fatalf("not settled: %s", r.describe(all))
			}
			due := r.due()
			var working sync.WaitGroup
			for _, s := range []*submission.Service{&r.Service, &twin} {
				for _, do := range due {
					working.Go(func() {
						if err := do(s); err != nil {
							t.Error(err)
						}
					})
				}
			}
			working.Wait()
			r.rest(len(due) > 0)
		}
		r.conserved(t, ids)
		for i, h := range machines(t, 1, 24) {
			if n := r.postsOf(h); n != 1 {
				t.Errorf("device %d was posted %d times", i, n)
			}
			r.want(contoso, ids[i], device.Registered, "")
		}
		slices.Sort(ids)
		if got := r.announced(); !slices.Equal(got, ids) {
			t.Errorf("%d announcements of %d devices", len(got), len(ids))
		}
		writes := append(r.posts(), r.sim.Log(deleting)...)
		for _, at := range writes {
			n := 0
			for _, w := range writes {
				if since := w.Time.Sub(at.Time); since >= 0 && since < 20*time.Second {
					n++
				}
			}
			if n > 12 { // a full bucket, and what flows in
				t.Fatalf("%d writes within 20 s, of a budget of 6", n)
			}
		}
	})
}

// effects are what can happen to any request.
var effects = []simulator.Effect{
	simulator.Reply, simulator.ReplyAfter, simulator.ResetBefore, simulator.ResetAfter, simulator.Truncate,
	simulator.Garbage,
	simulator.Page, simulator.Hang,
}

// names are what can become of an import.
var names = []simulator.Outcome{
	{Name: "StorageError", Code: 640},
	{Name: "ZtdDeviceAlreadyAssigned", Code: 806},
	{Name: "InvalidZtdHardwareHash", Code: 802},
	{Name: "ZtdDeviceAssignedToOtherTenant", Code: 808},
	{Name: "ZtdDeviceDuplicated"},
	{Name: "ZtdNews", Code: 1234},
	{Polls: 3, Waiting: []string{"pending", "partial"}},
}

func drawFault(t *rapid.T, serials []string) simulator.Fault {
	f := simulator.Fault{
		Nth: rapid.IntRange(1, 4).Draw(t, "nth"), Times: rapid.IntRange(1, 3).Draw(t, "times"),
	}
	if rapid.IntRange(0, 3).Draw(t, "about") == 0 {
		f.Effect = simulator.Import
		f.Serial = rapid.SampledFrom(serials).Draw(t, "serial")
		o := rapid.SampledFrom(names).Draw(t, "outcome")
		f.Outcome = &o
		f.Nth = 1
		return f
	}
	f.Operation = rapid.SampledFrom([]string{
		importing, importing, "imported.list", "identities.list", deleting, "batch", "token",
	}).Draw(t, "operation")
	f.Effect = rapid.SampledFrom(effects).Draw(t, "effect")
	f.Status = rapid.SampledFrom([]int{400, 401, 403, 404, 409, 429, 500, 503}).Draw(t, "status")
	if f.Effect == simulator.Page || f.Effect == simulator.ReplyAfter {
		f.Status = 503 // a 4xx is believed: whoever sends it has done nothing
	}
	return f
}

// Whatever goes wrong, every device ends somewhere, Autopilot and the ledger agree, and none is sent blindly; processes
// die on the way, and every event comes twice.
func TestLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(check *rapid.T) {
		var failed any
		synctest.Test(t, func(t *testing.T) {
			defer func() { failed = recover() }() // rapid ends a check by a panic, which must reach its own goroutine
			laws(t, check)
		})
		if failed != nil {
			panic(failed)
		}
	})
}

func laws(t *testing.T, check *rapid.T) {
	k := knobs{sim: slow(), timings: submission.Timings{Invisible: 30 * time.Minute}}
	k.sim.Seed = rapid.Int64().Draw(check, "seed")
	habit := rapid.SampledFrom(slices.Sorted(maps.Keys(habits))).Draw(check, "import ids")
	r := newFixture(t, check, k.with(habits[habit]))
	hashes := machines(check, 1, rapid.Uint64Range(1, 8).Draw(check, "devices"))
	var serials []string
	for _, h := range hashes {
		serials = append(serials, serial(check, h))
	}
	for range rapid.IntRange(0, 6).Draw(check, "faults") {
		r.fault(drawFault(check, serials))
	}
	ids := r.accept(contoso, hashes...)
	mortal := func() submission.Service {
		return r.mortal(
			&reaper{at: rapid.IntRange(0, 60).Draw(check, "death"), after: rapid.Bool().Draw(check, "after")},
		)
	}
	s := mortal()
	all := map[device.TenantID][]string{contoso: ids}
	for end, worked := time.Now().Add(10*24*time.Hour), true; worked || !r.finished(all); {
		if time.Now().After(end) {
			check.Fatalf("not settled: %s", r.describe(all))
		}
		due := r.due()
		for _, do := range append(due, due...) {
			if err := do(&s); errors.Is(err, errCrash) {
				s = mortal()
			} else if err != nil {
				check.Fatal(err)
			}
		}
		worked = len(due) > 0
		r.rest(worked)
	}
	r.conserved(check, ids)
	// A record that only its serial number speaks for is not deleted: it may be another's.
	if left := len(r.records()); left > 0 && !habits[habit].ImportIDReplaced {
		check.Errorf("%d import records are left", left)
	}
}
