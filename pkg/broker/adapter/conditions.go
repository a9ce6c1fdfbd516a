package adapter

import (
	"slices"
	"sync"
	"time"

	"taxiway.example/pkg/fault"
)

// noteFor is how long a condition counts that was neither noted again nor cleared.
const noteFor = time.Minute

// Conditions remembers what is wrong, by what it is wrong with. The zero value is ready.
type Conditions struct {
	mu  sync.Mutex
	now map[string]condition
}

type condition struct {
	err error
	at  time.Time
}

// Note says that something is wrong.
func (c *Conditions) Note(what string, err error, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == nil {
		c.now = map[string]condition{}
	}
	c.now[what] = condition{err, at}
}

// Clear says that it is well.
func (c *Conditions) Clear(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.now, what)
}

// Worst returns one of the conditions as a fault, nil when there is none.
func (c *Conditions) Worst(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for what, condition := range c.now {
		if now.Sub(condition.at) > noteFor {
			delete(c.now, what)
			continue
		}
		names = append(names, what)
	}
	if len(names) == 0 {
		return nil
	}
	first := slices.Min(names)
	err := c.now[first].err
	if !fault.Is(err) {
		return fault.Wrap(err, fault.BrokerUnavailable, first+" fails")
	}
	return About(first, err)
}
