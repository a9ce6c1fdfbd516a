package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/dispatch"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/ledger"
)

// fake is a ledger with due work only. It claims as the contract says.
type fake struct {
	mu          sync.Mutex
	devices     []*row
	submissions []*row
	leases      map[string]lease
	err         map[device.TenantID]error // of claims
	released    int
}

type row struct {
	tenant device.TenantID
	due    time.Time
	ledger.DueDevice
}

type lease struct {
	owner string
	until time.Time
}

func (f *fake) add(t device.TenantID, n int, due time.Time) *fake {
	for range n {
		id := fmt.Sprintf("%s-%d", t, len(f.devices))
		f.devices = append(f.devices, &row{t, due, ledger.DueDevice{ID: id, Batch: "b-" + string(t)}})
	}
	return f
}

func (f *fake) claim(rows []*row, c ledger.Claim) (got []ledger.DueDevice, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.err[c.Tenant]; err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.tenant == c.Tenant && !r.due.After(c.Now) && len(got) < c.Limit {
			r.due = c.Until
			got = append(got, r.DueDevice)
		}
	}
	return got, nil
}

func (f *fake) ClaimDevices(_ context.Context, _ device.Stage, c ledger.Claim) ([]ledger.DueDevice, error) {
	return f.claim(f.devices, c)
}

func (f *fake) ClaimSubmissions(_ context.Context, c ledger.Claim, _ ...ledger.SubmissionState) ([]string, error) {
	rows, err := f.claim(f.submissions, c)
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids, err
}

func (f *fake) Tenants(context.Context) ([]device.TenantID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []device.TenantID
	for _, r := range slices.Concat(f.devices, f.submissions) {
		if !slices.Contains(list, r.tenant) {
			list = append(list, r.tenant)
		}
	}
	return list, nil
}

func (f *fake) Acquire(_ context.Context, name, owner string, ttl time.Duration, now time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.leases == nil {
		f.leases = map[string]lease{}
	}
	if l, ok := f.leases[name]; ok && l.owner != owner && l.until.After(now) {
		return false, nil
	}
	f.leases[name] = lease{owner, now.Add(ttl)}
	return true, nil
}

func (f *fake) Release(_ context.Context, name, owner string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.leases[name].owner == owner {
		delete(f.leases, name)
		f.released++
	}
	return nil
}

// emitted collects events, or fails.
type emitted struct {
	mu    sync.Mutex
	list  []event.Event
	fails int
}

func (e *emitted) Emit(_ context.Context, events ...event.Event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fails > 0 {
		e.fails--
		return errors.New("the broker is down")
	}
	e.list = append(e.list, events...)
	return nil
}

// take returns what was emitted since the last call, by device or submission id.
func (e *emitted) take() []event.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.list = nil }()
	return e.list
}

func named(events []event.Event) map[string]int {
	n := map[string]int{}
	for _, e := range events {
		for _, id := range e.Devices {
			n[id]++
		}
		if e.Submission != "" {
			n[e.Submission]++
		}
	}
	return n
}

// start runs a dispatcher in a synctest bubble and returns a stop that waits for it.
func start(t *testing.T, cfg dispatch.Config, deps dispatch.Deps) (stop func()) {
	t.Helper()
	if cfg.Owner == "" {
		cfg.Owner = "one"
	}
	if cfg.Stages == nil {
		cfg.Stages = []dispatch.Stage{dispatch.Import}
	}
	cfg.Source = "/taxiway/test"
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- dispatch.Run(ctx, cfg, deps) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// later lets time pass in a bubble.
func later(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestDueWorkIsIssuedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake).add("contoso", 250, time.Now()).add("fabrikam", 3, time.Now().Add(time.Minute))
		out := &emitted{}
		stop := start(t, dispatch.Config{}, dispatch.Deps{Ledger: f, Emitter: out})
		got := out.take()
		if len(got) != 3 || len(named(got)) != 250 {
			t.Errorf("%d events for %d devices", len(got), len(named(got)))
		}
		for _, e := range got {
			if e.Type != event.DevicesCollected || e.Tenant != "contoso" || e.Batch != "b-contoso" ||
				e.Source != "/taxiway/test" ||
				len(e.Devices) > event.MaxChunk {
				t.Errorf("%+v", e)
			}
			if _, _, err := event.Encode(e); err != nil {
				t.Error(err)
			}
		}
		later(30 * time.Second)
		if got := out.take(); len(got) != 0 {
			t.Errorf("issued again: %v", got)
		}
		later(32 * time.Second)
		if got := named(out.take()); len(got) != 3 {
			t.Errorf("work that became due: %v", got)
		}
		later(10 * time.Minute)
		if got := named(out.take()); len(got) != 253 {
			t.Errorf("%d of 253 overdue devices were issued again", len(got))
		}
		stop()
		if f.released != 1 {
			t.Error("the lease was not released")
		}
	})
}

func TestStages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake).add("contoso", 1, time.Now())
		f.submissions = []*row{
			{"contoso", time.Now(), ledger.DueDevice{ID: "s1"}},
			{"contoso", time.Now(), ledger.DueDevice{ID: "s2"}},
		}
		out := &emitted{}
		stop := start(
			t,
			dispatch.Config{Stages: []dispatch.Stage{dispatch.Group, dispatch.Submissions}},
			dispatch.Deps{Ledger: f, Emitter: out},
		)
		defer stop()
		var types []string
		for _, e := range out.take() {
			types = append(types, string(e.Type)+" "+e.Submission+strings.Join(e.Devices, ","))
		}
		slices.Sort(types)
		want := []string{"devices.registered.v1 contoso-0", "submissions.due.v1 s1", "submissions.due.v1 s2"}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Error(diff)
		}
		if len(f.leases) != 2 {
			t.Errorf("leases %v", f.leases)
		}
	})
}

// TestTenantsTakeTurns: nobody waits until a large tenant is through.
func TestTenantsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake).add("large", 1000, time.Now()).add("small", 1, time.Now())
		out := &emitted{}
		stop := start(
			t,
			dispatch.Config{Timings: dispatch.Timings{PerTenant: 100}},
			dispatch.Deps{Ledger: f, Emitter: out},
		)
		defer stop()
		got := out.take()
		at := slices.IndexFunc(got, func(e event.Event) bool { return e.Tenant == "small" })
		if at != 1 || len(named(got)) != 1001 {
			t.Errorf("the small tenant came as number %d of %d events, %d devices", at, len(got), len(named(got)))
		}
	})
}

func TestOneOwnerAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake).add("contoso", 1, time.Now())
		first := &emitted{}
		second := &emitted{}
		stopFirst := start(t, dispatch.Config{Owner: "one"}, dispatch.Deps{Ledger: f, Emitter: first})
		defer start(t, dispatch.Config{Owner: "two"}, dispatch.Deps{Ledger: f, Emitter: second})()
		f.mu.Lock()
		f.add("contoso", 1, time.Now())
		f.mu.Unlock()
		later(time.Hour) // the first renews its lease all the time
		if len(first.take()) == 0 || len(second.take()) != 0 {
			t.Error("the second worked though the first held the lease")
		}
		stopFirst()
		f.mu.Lock()
		f.add("contoso", 1, time.Now())
		f.mu.Unlock()
		later(3 * time.Second) // released, not run out
		if got := named(second.take()); got["contoso-2"] != 1 {
			t.Errorf("the second did not take over: %v", got)
		}
	})
}

// TestBrokerDown: what was claimed is issued as soon as the broker is back, under the same ids, and not only when
// overdue.
func TestBrokerDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake).add("contoso", 5, time.Now())
		out := &emitted{fails: 4}
		defer start(t, dispatch.Config{}, dispatch.Deps{Ledger: f, Emitter: out})()
		later(20 * time.Second)
		if got := named(out.take()); len(got) != 5 {
			t.Errorf("%v", got)
		}
	})
}

// TestStopDuringTrouble: work that was claimed when the service stops is still issued.
func TestStopDuringTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake).add("contoso", 5, time.Now())
		out := &emitted{fails: 1}
		start(t, dispatch.Config{}, dispatch.Deps{Ledger: f, Emitter: out})()
		if got := named(out.take()); len(got) != 5 {
			t.Errorf("%v", got)
		}
	})
}

func TestOneTenantsErrorIsItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake).add("broken", 1, time.Now()).add("contoso", 1, time.Now())
		f.err = map[device.TenantID]error{"broken": errors.New("disk")}
		out := &emitted{}
		defer start(t, dispatch.Config{}, dispatch.Deps{Ledger: f, Emitter: out})()
		if got := named(out.take()); got["contoso-1"] != 1 {
			t.Errorf("%v", got)
		}
		f.mu.Lock()
		f.err = nil
		f.mu.Unlock()
		later(time.Minute)
		if got := named(out.take()); got["broken-0"] != 1 {
			t.Errorf("not served after the error had gone: %v", got)
		}
	})
}

func TestNotify(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake)
		out := &emitted{}
		notifier := new(dispatch.Notifier)
		notifier.Notify() // no dispatcher waits yet
		defer start(
			t,
			dispatch.Config{Timings: dispatch.Timings{Interval: time.Hour}},
			dispatch.Deps{Ledger: f, Emitter: out, Notifier: notifier},
		)()
		f.mu.Lock()
		f.add("contoso", 1, time.Now())
		f.mu.Unlock()
		notifier.Notify()
		notifier.Notify()
		synctest.Wait()
		if got := named(out.take()); len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
}

// TestChunkLaw: every claimed device is issued exactly once, no chunk is larger than the limit of any device in it, and
// only chunks of one batch name a batch.
func TestChunkLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		limits := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 1, 2, 50, 100, 500}), 0, 400).Draw(rt, "limits")
		batches := rapid.SampledFrom([]string{"b1", "b1", "b2", ""})
		f := new(fake)
		limit := map[string]int{}
		batch := map[string]string{}
		for i, l := range limits {
			d := ledger.DueDevice{ID: fmt.Sprint("d", i), Batch: batches.Draw(rt, "batch"), ChunkLimit: l}
			limit[d.ID] = l
			batch[d.ID] = d.Batch
			f.devices = append(f.devices, &row{"contoso", time.Time{}, d})
		}
		out := &emitted{}
		ctx, cancel := context.WithCancel(t.Context())
		emit := stopping{out, cancel}
		if len(limits) == 0 {
			cancel()
		}
		if err := dispatch.Run(ctx, dispatch.Config{
			Stages: []dispatch.Stage{dispatch.Import}, Owner: "one",
			Source: "/t",
		}, dispatch.Deps{Ledger: f, Emitter: emit}); err != nil {
			rt.Fatal(err)
		}
		got := out.take()
		for id, n := range named(got) {
			if n != 1 {
				rt.Fatalf("%s was issued %d times", id, n)
			}
		}
		if len(named(got)) != len(limits) {
			rt.Fatalf("%d of %d", len(named(got)), len(limits))
		}
		for _, e := range got {
			for _, id := range e.Devices {
				if l := limit[id]; l > 0 && len(e.Devices) > l || len(e.Devices) > event.MaxChunk {
					rt.Fatalf("a device of limit %d in a chunk of %d", l, len(e.Devices))
				}
				if e.Batch != "" && batch[id] != e.Batch {
					rt.Fatalf("a device of batch %q in an event of batch %q", batch[id], e.Batch)
				}
			}
		}
	})
}

// stopping ends the run with the first events.
type stopping struct {
	*emitted
	stop context.CancelFunc
}

func (s stopping) Emit(ctx context.Context, events ...event.Event) error {
	defer s.stop()
	return s.emitted.Emit(ctx, events...)
}

// TestOnce: a step by hand issues what is due and does the jobs, and gives the leases back.
func TestOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fake).add("contoso", 2, time.Now())
		out := &emitted{}
		done := 0
		cfg := dispatch.Config{
			Stages: []dispatch.Stage{dispatch.Import, dispatch.Submissions}, Source: "/taxiway/test",
			Jobs: []dispatch.Job{
				{Name: "tidy", Every: time.Hour, Do: func(context.Context) error { done++; return errors.New("disk") }},
			},
		}
		for range 2 {
			if err := dispatch.Once(t.Context(), cfg, dispatch.Deps{Ledger: f, Emitter: out}); err == nil ||
				err.Error() != "disk" {
				t.Errorf("%v", err)
			}
		}
		if got := out.take(); len(got) != 1 || len(got[0].Devices) != 2 || done != 2 || f.released != 6 ||
			len(f.leases) != 0 {
			t.Errorf("%v; the job was done %d times; %d leases released", got, done, f.released)
		}
		f.leases["job/tidy"] = lease{"another process", time.Now().Add(time.Minute)}
		if err := dispatch.Once(t.Context(), cfg, dispatch.Deps{Ledger: f, Emitter: out}); err != nil || done != 2 {
			t.Errorf("%v; the job was done %d times", err, done)
		}
	})
}
