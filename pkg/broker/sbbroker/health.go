package sbbroker

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/fault"
)

const (
	pingTimeout = 5 * time.Second
	pingEvery   = 10 * time.Second // a management operation costs as much as ten messages
	noteFor     = time.Minute      // how long a condition counts that nobody confirmed or cleared
)

// Health returns nil when the namespace answers, takes what is sent, and gives what is subscribed. The namespace is asked
// every ten seconds at most, however often Health is called.
func (b *Broker) Health(ctx context.Context) error {
	now := b.Now()
	if err := b.state.worst(now); err != nil {
		return err
	}
	if !b.state.pingDue(now) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := b.ping(ctx); err != nil {
		return about(b.probed(), answer(ctx, err))
	}
	b.state.pinged(now)
	return nil
}

// ping looks for a message that does not exist: a round trip through connection, credentials and an entity.
func (b *Broker) ping(ctx context.Context) error {
	if len(b.Topology.all()) == 0 { // a namespace that is only published to
		return b.sendersOf(b.Topology.Name(b.Topology.Topics[0].Type)).use(ctx, func(s *azservicebus.Sender) error {
			_, err := s.NewMessageBatch(ctx, nil)
			return err
		})
	}
	return b.probe.use(ctx, func(r *azservicebus.Receiver) error {
		_, err := b.peek(ctx, r, math.MaxInt64, 1)
		return err
	})
}

// probed names the entity that ping asks.
func (b *Broker) probed() string {
	if all := b.Topology.all(); len(all) > 0 {
		return all[0].String()
	}
	return b.Topology.Name(b.Topology.Topics[0].Type)
}

// conditions remembers what is wrong, by what it is wrong with.
type conditions struct {
	mu   sync.Mutex
	now  map[string]condition
	ping time.Time // the last that succeeded
}

type condition struct {
	err error
	at  time.Time
}

func (c *conditions) note(what string, err error, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == nil {
		c.now = map[string]condition{}
	}
	c.now[what] = condition{err, at}
}

func (c *conditions) clear(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.now, what)
}

// worst returns one of the conditions; those that are old have passed, or nobody cares.
func (c *conditions) worst(now time.Time) error {
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
	if fault.CodeOf(err) == fault.CodeUnknown {
		return fault.Wrap(err, fault.BrokerUnavailable, first+" fails")
	}
	return about(first, err)
}

func (c *conditions) pingDue(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := now.Sub(c.ping)
	return age < 0 || age > pingEvery
}

func (c *conditions) pinged(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ping = now
}
