package sbbroker

import (
	"context"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/fault"
)

// Consume receives as many messages as handlers are free, so that none waits long while its lock runs.
func (b *Broker) Consume(ctx context.Context, sub broker.Subscription, h broker.Handler) error {
	sub, err := sub.Normal()
	if err != nil {
		return err
	}
	from := map[string]adapter.Receive{}
	for _, src := range b.sources(sub) {
		r := b.receiver(src, sub.Lease)
		defer r.end(ctx)
		from[src.String()] = r.receive
	}
	if len(from) == 0 {
		return fault.Newf(fault.BrokerUnavailable, "the topology has no subscription %s of %s", sub.Name, sub.Type)
	}
	adapter.NewConsumer(sub, h, &b.state, b.Logger, b.Now).Run(ctx, from)
	return nil
}
