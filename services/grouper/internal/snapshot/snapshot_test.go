package snapshot

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"taxiway.example/pkg/autopilot"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
)

type thing struct{ id, value string }

// service has things, and counts how it is read. Reading a page takes delay.
type service struct {
	things, pages, lists, single int
	delay                        time.Duration
	err                          error
}

func name(i int) string { return fmt.Sprintf("thing-%06d", i) }

func (s *service) some(_ context.Context, ids []string) map[string]autopilot.Lookup[thing] {
	s.single += len(ids)
	found := map[string]autopilot.Lookup[thing]{}
	for _, id := range ids {
		found[id] = autopilot.Lookup[thing]{Value: thing{id, "alone"}}
	}
	return found
}

func (s *service) all(context.Context) iter.Seq2[thing, error] {
	return func(yield func(thing, error) bool) {
		s.lists++
		for i := range s.things {
			if i%autopilot.PageSize == 0 {
				s.pages++
				time.Sleep(s.delay)
			}
			if !yield(thing{name(i), "listed"}, nil) {
				return
			}
		}
		if s.err != nil {
			yield(thing{}, s.err)
		}
	}
}

func (s *service) source() Source[thing] { return Source[thing]{s.some, s.all} }

func lists(rows int) *Lists[thing] {
	c := Config{Keep: 10 * time.Second, Rows: rows, Again: time.Minute, Now: time.Now}
	return New(c, func(t thing) string { return t.id }, func(t thing) thing { return t })
}

// span asks for n things from the first on; they have been there for a year.
func span(first, n int) (asked []Asked) {
	for i := range n {
		asked = append(asked, Asked{name(first + i), time.Now().AddDate(-1, 0, 0)})
	}
	return asked
}

// find returns how many come from a list, and fails unless everything has an answer.
func find(t *testing.T, l *Lists[thing], tenant device.TenantID, s *service, asked []Asked) (fromList int) {
	t.Helper()
	found, listed := l.Find(t.Context(), tenant, asked, s.source())
	for _, a := range asked {
		if lookup, ok := found[a.ID]; !ok || lookup.Err == nil && (lookup.Value.value == "listed") != listed[a.ID] {
			t.Errorf("%s: %+v, listed %v", a.ID, lookup, listed[a.ID])
		}
		if listed[a.ID] {
			fromList++
		}
	}
	return fromList
}

func TestListIsReadWhereItIsCheaper(t *testing.T) {
	for name, tt := range map[string]struct {
		things, chunk, chunks  int
		lists, pages, fromList int
	}{
		"one new device in a large tenant": {500_000, 1, 1, 0, 0, 0},
		"ten in a small one":               {500, 10, 1, 0, 0, 0},
		"eleven in a small one":            {500, 11, 1, 1, 1, 11},
		"many small chunks":                {500, 5, 4, 1, 1, 10},
		"a hundred in five pages":          {4500, 100, 10, 1, 5, 1000},
		"longer than worth it":             {500_000, 100, 1, 1, 10, 100},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{things: tt.things}
				l := lists(1_000_000)
				fromList := 0
				for i := range tt.chunks {
					fromList += find(t, l, "", s, span(i*tt.chunk, tt.chunk))
				}
				if s.lists != tt.lists || s.pages != tt.pages || fromList != tt.fromList ||
					s.single != tt.chunk*tt.chunks-fromList {
					t.Errorf(
						"%d lists of %d pages, %d answers from them, %d single reads",
						s.lists,
						s.pages,
						fromList,
						s.single,
					)
				}
			})
		})
	}
}

// TestLongListsCostAFraction: in a tenant whose list is too long to pay off, trying costs little.
func TestLongListsCostAFraction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{things: 500_000}
		l := lists(50_000)
		for i := range 300 {
			find(t, l, "", s, span(400_000+i*100, 100))
			time.Sleep(2 * time.Second)
		}
		if s.pages*page > s.single || s.lists == 0 {
			t.Errorf("%d pages for %d single reads", s.pages, s.single)
		}
		if held := l.held.Load(); held > 50_000 {
			t.Errorf("%d rows held", held)
		}
	})
}

func TestListIsTrustedForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{things: 3000, delay: 2 * time.Second}
		l := lists(10_000)
		find(t, l, "", s, span(0, 100))
		time.Sleep(10*time.Second - 1)
		find(t, l, "", s, span(0, 100))
		if s.lists != 1 {
			t.Errorf("%d lists", s.lists)
		}
		time.Sleep(time.Nanosecond)
		find(t, l, "", s, span(0, 100))
		if s.lists != 2 || s.single != 0 {
			t.Errorf("%d lists, %d single reads", s.lists, s.single)
		}
		s.delay = 8 * time.Second
		time.Sleep(10 * time.Second)
		find(t, l, "", s, span(0, 100))
		time.Sleep(24*time.Second - 1)
		if find(t, l, "", s, span(0, 1)) != 1 {
			t.Error("a list that took long is trusted for as long")
		}
	})
}

func TestAllWhoAskWaitForOneList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{things: 5000, delay: time.Second}
		l := lists(10_000)
		for i := range 20 {
			go find(t, l, "", s, span(i*100, 100))
		}
		synctest.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if s.lists != 1 || s.single != 0 {
			t.Errorf("%d lists, %d single reads", s.lists, s.single)
		}
	})
}

func TestWhoeverIsToldToStopDoesNotWaitForTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{things: 5000, delay: 5 * time.Second}
		l := lists(10_000)
		go find(t, l, "", s, span(0, 100))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		found, _ := l.Find(ctx, "", span(0, 1), s.source())
		if err := found[name(0)].Err; err == nil || ctx.Err() == nil || s.single != 0 {
			t.Errorf("%v", err)
		}
		time.Sleep(time.Minute)
	})
}

// TestAbsenceMeansNothing: what the list does not show is asked for, or waits for a list that can show it.
func TestAbsenceMeansNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{things: 1000}
		l := lists(10_000)
		find(t, l, "", s, append(span(0, 100), span(5000, 20)...))
		if s.single != 20 {
			t.Errorf("%d single reads: a fresh list without a thing leaves only asking", s.single)
		}
		time.Sleep(time.Second)
		newer := span(7000, page+1)
		for i := range newer {
			newer[i].Since = time.Now()
		}
		find(t, l, "", s, newer[:page])
		if s.single != 20+page {
			t.Errorf("%d single reads: few new things are asked for", s.single)
		}
		time.Sleep(time.Second)
		found, _ := l.Find(t.Context(), "", newer, s.source())
		for _, a := range newer {
			err := found[a.ID].Err
			if fault.KindOf(err) != fault.Throttled || fault.CodeOf(err) == fault.GraphNotFound {
				t.Errorf("%s: %v", a.ID, err)
			}
		}
		time.Sleep(8 * time.Second)
		find(t, l, "", s, append(newer, span(0, 100)...))
		if s.lists != 2 || s.single != 20+2*page+1 {
			t.Errorf("%d lists, %d single reads: the next list was younger and did not show them", s.lists, s.single)
		}
	})
}

func TestListThatBreaksOff(t *testing.T) {
	for name, tt := range map[string]struct {
		err            error
		lists, single  int
		alone          fault.Code
		listsAfterward int
	}{
		"throttled": {fault.New(fault.GraphThrottled, "").After(time.Second), 1, 0, fault.GraphThrottled, 2},
		"refused":   {fault.New(fault.GraphBadRequest, ""), 1, 50, "", 1},
		"broken":    {fault.New(fault.GraphUnexpected, ""), 1, 50, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{things: 1000, err: tt.err}
				l := lists(10_000)
				asked := append(span(950, 50), span(1000, 50)...)
				found, listed := l.Find(t.Context(), "", asked, s.source())
				if len(listed) == 0 || !listed[asked[0].ID] || listed[asked[99].ID] {
					t.Error("what the list showed before it broke off counts")
				}
				got := found[asked[99].ID].Err
				if s.lists != tt.lists || s.single != tt.single || got != nil && fault.CodeOf(got) != tt.alone ||
					(got == nil) != (tt.alone == "") {
					t.Errorf("%d lists, %d single reads, %v", s.lists, s.single, got)
				}
				time.Sleep(11 * time.Second)
				find(t, l, "", s, asked)
				if s.lists != tt.listsAfterward {
					t.Errorf("%d lists a moment later", s.lists)
				}
				time.Sleep(time.Minute)
				if find(t, l, "", s, asked); s.lists != tt.listsAfterward+1 {
					t.Errorf("%d lists a minute later", s.lists)
				}
			})
		})
	}
}

// TestMemoryIsBounded: all tenants share the rows, and what is out of date makes room.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{things: 3000}
		l := lists(4000)
		find(t, l, "", s, span(0, 100))
		find(t, l, "other", s, span(0, 100))
		if held := l.held.Load(); held != 4000 {
			t.Errorf("%d rows held", held)
		}
		time.Sleep(10 * time.Second)
		find(t, l, "", s, span(0, 100))
		if held := l.held.Load(); held != 3000 {
			t.Errorf("%d rows held after the others were out of date", held)
		}
	})
}

func TestNoListsAtAll(t *testing.T) {
	s := &service{things: 10}
	l := lists(-1)
	if find(t, l, "", s, span(0, 100)); s.lists != 0 || s.single != 100 {
		t.Errorf("%d lists, %d single reads", s.lists, s.single)
	}
}
