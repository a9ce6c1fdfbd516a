package watch_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/cmd/internal/watch"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

// script answers one look after the other; the last answer stands.
type script struct {
	checks []func() (api.Batch, error)
	n      int
}

func (s *script) Batch(context.Context, string) (api.Batch, error) {
	check := s.checks[min(s.n, len(s.checks)-1)]
	s.n++
	return check()
}

func is(b api.Batch) func() (api.Batch, error) {
	return func() (api.Batch, error) { return b, nil }
}

func fails(err error) func() (api.Batch, error) {
	return func() (api.Batch, error) { return api.Batch{}, err }
}

// batch is one with devices in these states.
func batch(states map[device.State]int) api.Batch {
	b := api.Batch{ID: "b", State: api.Complete, Outcomes: map[device.RowOutcome]int{}, States: states}
	for s, n := range states {
		b.Rows += n
		if s.InFlight() {
			b.InFlight += n
		}
	}
	b.Outcomes[device.Accepted] = b.Rows
	b.Done = b.InFlight == 0
	return b
}

var (
	begun = batch(map[device.State]int{device.Collected: 3})
	moved = batch(map[device.State]int{device.Submitted: 1, device.Tagged: 1, device.Held: 1})
	ended = batch(map[device.State]int{device.Ready: 2, device.Held: 1})
	away  = &client.Unreachable{Err: io.ErrUnexpectedEOF}
)

func TestFollowWritesALineForEachChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		from := &script{checks: []func() (api.Batch, error){is(begun), is(begun), is(moved), is(ended)}}
		b, err := watch.Follow(t.Context(), from, "b", &out, watch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ended, b); diff != "" {
			t.Error(diff)
		}
		want := "3 rows, 3 accepted: submitted 0 registered 0 tagged 0 grouped 0 ready 0\n" +
			"3 rows, 3 accepted: submitted 2 registered 1 tagged 1 grouped 0 ready 0 (1 held)\n" +
			"3 rows, 3 accepted: submitted 2 registered 2 tagged 2 grouped 2 ready 2 (1 held)\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Error(diff)
		}
	})
}

// A batch whose upload broke off stays open until its sender has finished.
func TestAnUnfinishedBatchSaysSo(t *testing.T) {
	t.Parallel()
	const says = "The sender has not finished; send the file again with the same key.\n"
	open := moved
	open.State = api.Receiving
	for _, terminal := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			from := &script{checks: []func() (api.Batch, error){is(open), is(open), is(ended)}}
			if _, err := watch.Follow(t.Context(), from, "b", &out, watch.Options{Terminal: terminal}); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(out.String(), says); n != 1 {
				t.Errorf("terminal %v: said %d times in %q", terminal, n, &out)
			}
		})
	}
	for state, want := range map[api.BatchState]bool{api.Receiving: true, api.Complete: false, api.Failed: false} {
		var out strings.Builder
		b := open
		b.State = state
		if err := watch.Summary(&out, b); err != nil || strings.Contains(out.String(), "\n  "+says) != want {
			t.Errorf("%v, summary of a batch that is %s:\n%s", err, state, &out)
		}
	}
}

func TestFollowOutlivesAServerThatIsAway(t *testing.T) {
	t.Parallel()
	busy := &client.Problem{
		Problem:    api.Problem{Status: 429, Code: fault.RequestRateLimited},
		RetryAfter: 7 * time.Second,
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		from := &script{
			checks: []func() (api.Batch, error){is(begun), fails(away), fails(busy), fails(away), is(ended)},
		}
		b, err := watch.Follow(t.Context(), from, "b", io.Discard, watch.Options{Interval: time.Second})
		if err != nil || !b.Done {
			t.Errorf("%v, done %v", err, b.Done)
		}
		if took := time.Since(began); took != 10*time.Second { // the clock of the bubble
			t.Errorf("looked for %s", took)
		}
	})
}

func TestFollowGivesUp(t *testing.T) {
	t.Parallel()
	unknown := &client.Problem{Problem: api.Problem{Status: 404, Code: fault.RequestNotFound}}
	for name, c := range map[string]struct {
		err  error
		most int // looks
	}{
		"at once when nothing can change":  {unknown, 2},
		"when the server stays away":       {away, 32},
		"at once when it is not an answer": {errors.New("not understood"), 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				from := &script{checks: []func() (api.Batch, error){is(begun), fails(c.err)}}
				b, err := watch.Follow(t.Context(), from, "b", io.Discard, watch.Options{Patience: 30 * time.Second})
				if !errors.Is(err, c.err) || b.ID != "b" || from.n != c.most {
					t.Errorf("%v after %d looks, last seen %q", err, from.n, b.ID)
				}
			})
		})
	}
}

func TestFollowStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		b, err := watch.Follow(
			ctx,
			&script{checks: []func() (api.Batch, error){is(moved)}},
			"b",
			io.Discard,
			watch.Options{},
		)
		if !errors.Is(err, context.DeadlineExceeded) || b.ID != "b" {
			t.Errorf("%v, last seen %q", err, b.ID)
		}
	})
}

// Bars are drawn for a terminal; what is left of them says how it ended.
func TestBars(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := ended
	b.Reasons = []api.Reason{
		{State: device.Held, Code: "x.held", Count: 9},
		{State: device.Tagged, Code: "group.membership_pending", Count: 1},
	}
	if _, err := watch.Follow(t.Context(), &script{checks: []func() (api.Batch, error){is(b)}}, "b", &out, watch.Options{Terminal: true}); err != nil {
		t.Fatal(err)
	}
	last := out.String()[strings.LastIndex(out.String(), "submitted"):]
	for _, want := range []string{"2 / 2", "ready", "(1 held)", "(1 group.membership_pending)"} {
		if !strings.Contains(last, want) {
			t.Errorf("no %q in %q", want, last)
		}
	}
}

// The bar of an upload moves and goes away; what is read is what was there.
func TestUpload(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r, done := watch.Upload(&out, strings.NewReader("content"), 7)
	got, err := io.ReadAll(r)
	done()
	if err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSummaryAddsUp(t *testing.T) {
	t.Parallel()
	b := ended
	b.Rejects = []api.Reason{{Code: "hash.truncated", Title: "Cut.", Count: 2}}
	b.Reasons = []api.Reason{
		{State: device.Held, Code: "autopilot.assigned_to_other_tenant", Title: "Elsewhere.", Count: 1},
	}
	b.Outcomes = map[device.RowOutcome]int{device.Accepted: 3, device.Rejected: 2}
	b.Rows = 5
	var out strings.Builder
	if err := watch.Summary(&out, b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  accepted           3\n", "  rejected           2\n", "  held               1\n",
		"        2  hash.truncated\n           Cut.\n",
		"        1  held autopilot.assigned_to_other_tenant\n",
		"5 rows = 3 accepted + 0 updated + 0 duplicate + 0 conflict + 2 rejected  ✓\n",
		"3 devices = 2 ready + 0 in flight + 1 held + 0 dead + 0 missing + 0 retired  ✓\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if !watch.AddsUp(b) || watch.Failed(b) != 3 {
		t.Errorf("adds up: %v; failed: %d", watch.AddsUp(b), watch.Failed(b))
	}
	for name, lost := range map[string]func(*api.Batch){
		"a row":    func(b *api.Batch) { b.Rows++ },
		"a device": func(b *api.Batch) { b.States = map[device.State]int{device.Ready: 2} },
	} {
		b := b
		lost(&b)
		if watch.AddsUp(b) {
			t.Errorf("%s is missing and it adds up", name)
		}
		out.Reset()
		if err := watch.Summary(&out, b); err != nil || !strings.Contains(out.String(), "DOES NOT ADD UP") {
			t.Errorf("%s is missing and the summary does not say so (%v)", name, err)
		}
	}
}
