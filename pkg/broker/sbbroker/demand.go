package sbbroker

import (
	"context"
	"sync"
)

// demand says how many more deliveries the handlers of a Consume could take. What comes over and above (a delivery whose pause
// is over while others are being received) is counted too, and waits.
type demand struct {
	mu     sync.Mutex
	most   int
	taken  int
	notify chan struct{} // closed when something was given back
}

func newDemand(most int) *demand { return &demand{most: most, notify: make(chan struct{})} }

// free waits until at least one is free and returns how many; 0 when ctx ends.
func (d *demand) free(ctx context.Context) int {
	for ctx.Err() == nil {
		n, changed := d.look()
		if n > 0 {
			return n
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return 0
}

func (d *demand) look() (int, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.most - d.taken, d.notify
}

func (d *demand) take(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken += n
}

func (d *demand) give(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken -= n
	close(d.notify)
	d.notify = make(chan struct{})
}
