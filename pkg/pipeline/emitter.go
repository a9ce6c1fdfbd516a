package pipeline

import (
	"context"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/event"
)

// Emitter is the pipeline's other half: it publishes events.
type Emitter struct{ pub broker.Publisher }

// NewEmitter returns an Emitter that publishes to pub.
func NewEmitter(pub broker.Publisher) *Emitter { return &Emitter{pub} }

// Emit returns nil when all events are stored durably. The id of an event is the id of its message, so that repeating
// the call with the same events is safe. Events emitted while a delivery is handled inherit its trace.
func (em *Emitter) Emit(ctx context.Context, events ...event.Event) error {
	messages := make([]broker.Message, 0, len(events))
	for _, e := range events {
		if e.Trace == "" {
			e.Trace = Trace(ctx)
		}
		attrs, body, err := event.Encode(e)
		if err != nil {
			return err
		}
		messages = append(
			messages,
			broker.Message{ID: e.ID, Type: string(e.Type), Tenant: string(e.Tenant), Headers: attrs, Body: body},
		)
	}
	if len(messages) == 0 {
		return nil
	}
	return em.pub.Publish(ctx, messages...)
}
