package sbbroker

import (
	"context"
	"math"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker/adapter"
)

const (
	pingTimeout = 5 * time.Second
	pingEvery   = 10 * time.Second // a management operation costs as much as ten messages
)

// Health returns nil when the namespace answers, takes what is sent, and gives what is subscribed. The namespace is
// asked every ten seconds at most, however often Health is called.
func (b *Broker) Health(ctx context.Context) error {
	now := b.Now()
	if err := b.state.Worst(now); err != nil {
		return err
	}
	if last := b.pinged.Load(); last != nil && !now.Before(*last) && now.Sub(*last) <= pingEvery {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := b.ping(ctx); err != nil {
		return adapter.About(b.probed(), answer(ctx, err))
	}
	b.pinged.Store(&now)
	return nil
}

// ping looks up a message that does not exist: a round trip through connection, credentials and an entity.
func (b *Broker) ping(ctx context.Context) error {
	return b.probe.use(ctx, func(r *azservicebus.Receiver) error {
		_, err := peek(ctx, r, math.MaxInt64, 1)
		return err
	})
}

// probed names the entity that ping asks.
func (b *Broker) probed() string { return b.Topology.all()[0].String() }
