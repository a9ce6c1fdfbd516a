package pipeline

import (
	"context"

	"golang.org/x/sync/errgroup"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
)

// UseCase handles one event; it must be safe to repeat.
type UseCase func(context.Context, event.Event) error

// Around returns a use case that comes around that of a type in a lane.
type Around func(event.Type, broker.Lane, UseCase) UseCase

// Consume consumes, in both lanes, every type of which event.Consumption says that the consumer takes it, until ctx
// ends and every delivery begun is done; it returns nil then. The subscription gives the name of the consumer,
// concurrency and lease. A type without a use case, or a use case without a type, is an error.
func Consume(
	ctx context.Context,
	from broker.Consumer,
	sub broker.Subscription,
	cfg Config,
	use map[event.Type]UseCase,
) error {
	types := event.TypesOf(sub.Name)
	if len(types) != len(use) {
		return fault.Newf(
			fault.MessageUnknownType,
			"the consumer %s has %d use cases for %d event types",
			sub.Name,
			len(use),
			len(types),
		)
	}
	for _, typ := range types {
		if use[typ] == nil {
			return fault.Newf(fault.MessageUnknownType, "the consumer %s has no use case for %s", sub.Name, typ)
		}
	}
	g, ctx := errgroup.WithContext(ctx) // when one of them cannot go on, neither can the others
	for _, typ := range types {
		for _, lane := range broker.Lanes() {
			s := sub
			s.Type = string(typ)
			s.Lane = lane
			one := use[typ]
			if cfg.Around != nil {
				one = cfg.Around(typ, lane, one)
			}
			g.Go(func() error { return from.Consume(ctx, s, New(cfg, one)) })
		}
	}
	return g.Wait()
}
