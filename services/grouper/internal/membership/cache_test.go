package membership

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCacheKeepsForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache[string, int](time.Minute, time.Now)
		n := 0
		get := func(key string) int {
			t.Helper()
			v, err := c.get(key, func() (int, error) { n++; return n, nil })
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		for i, key := range []string{"a", "a", "b", "a"} {
			if got, want := get(key), []int{1, 1, 2, 1}[i]; got != want {
				t.Errorf("%s: %d, want %d", key, got, want)
			}
		}
		time.Sleep(time.Minute)
		if get("a") != 3 || get("c") != 4 {
			t.Error("a value was kept too long")
		}
		if len(c.entries) != 2 {
			t.Errorf("%d entries: what is out of date must go", len(c.entries))
		}
		c.drop("a")
		if get("a") != 5 {
			t.Error("a dropped value came back")
		}
		if _, err := c.get("d", func() (int, error) { return 0, errors.New("no") }); err == nil || get("d") != 6 {
			t.Error("an error was kept")
		}
	})
}

func TestCacheFetchesOnceForAllWhoWait(t *testing.T) {
	c := newCache[string, int](time.Hour, time.Now)
	var fetches atomic.Int32
	release := make(chan struct{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if v, err := c.get("a", func() (int, error) { <-release; return int(fetches.Add(1)), nil }); v != 1 ||
				err != nil {
				t.Errorf("%d %v", v, err)
			}
		})
	}
	close(release)
	wg.Wait()
}
