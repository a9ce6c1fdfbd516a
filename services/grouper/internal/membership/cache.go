package membership

import (
	"maps"
	"sync"
	"time"
)

// cache keeps values for a moment, or for as long as it took to fetch them when that was longer. Whoever asks for a
// value that is being fetched waits for it instead of fetching it too. Errors are not kept.
type cache[K comparable, V any] struct {
	ttl time.Duration
	now func() time.Time

	mu      sync.Mutex
	entries map[K]*entry[V]
}

type entry[V any] struct {
	mu    sync.Mutex // held while the value is fetched
	value V
	until time.Time
}

func newCache[K comparable, V any](ttl time.Duration, now func() time.Time) *cache[K, V] {
	return &cache[K, V]{ttl: ttl, now: now, entries: map[K]*entry[V]{}}
}

// get returns the kept value, or fetches it; fetch bounds itself by a context.
func (c *cache[K, V]) get(key K, fetch func() (V, error)) (V, error) {
	e := c.entry(key)
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.now().Before(e.until) {
		return e.value, nil
	}
	began := c.now()
	value, err := fetch()
	if err != nil {
		return value, err
	}
	now := c.now()
	e.value = value
	e.until = now.Add(max(c.ttl, now.Sub(began)))
	return value, nil
}

// entry returns the key's entry, new if there is none, and forgets what nobody waits for and is out of date.
func (c *cache[K, V]) entry(key K) *entry[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		return e
	}
	now := c.now()
	maps.DeleteFunc(c.entries, func(_ K, e *entry[V]) bool {
		if !e.mu.TryLock() {
			return false
		}
		defer e.mu.Unlock()
		return !now.Before(e.until)
	})
	e := &entry[V]{}
	c.entries[key] = e
	return e
}

func (c *cache[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, key)
}
