package broker_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"taxiway.example/pkg/broker"
)

func TestHandleBatch(t *testing.T) {
	t.Parallel()
	lost, lose := context.WithCancel(t.Context())
	batch := func(first context.Context) []broker.Held {
		return []broker.Held{
			{Delivery: broker.Delivery{Message: broker.Message{ID: "a"}}, Lease: first},
			{Delivery: broker.Delivery{Message: broker.Message{ID: "b"}}, Lease: t.Context()},
			{Delivery: broker.Delivery{Message: broker.Message{ID: "c"}}, Lease: t.Context()},
		}
	}
	failed := errors.New("made to fail by the test")
	for name, c := range map[string]struct {
		lease context.Context
		h     broker.BatchHandler
		want  []broker.Verb
	}{
		"each its own": {t.Context(), func(context.Context, []broker.Delivery) []error {
			return []error{broker.DeadLetter(failed), nil, failed}
		}, []broker.Verb{broker.Park, broker.Ack, broker.Again}},
		"too few answers": {t.Context(), func(context.Context, []broker.Delivery) []error {
			return []error{nil}
		}, []broker.Verb{broker.Ack, broker.Again, broker.Again}},
		"a lease is lost": {lost, func(ctx context.Context, _ []broker.Delivery) []error {
			lose()
			<-ctx.Done()
			return []error{ctx.Err(), nil, ctx.Err()}
		}, []broker.Verb{broker.Release, broker.Ack, broker.Release}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ids []string
			outcomes := broker.HandleBatch(t.Context(), batch(c.lease), func(ctx context.Context, got []broker.Delivery) []error {
				for _, d := range got {
					ids = append(ids, d.ID)
				}
				return c.h(ctx, got)
			})
			var verbs []broker.Verb
			for _, o := range outcomes {
				verbs = append(verbs, o.Verb)
			}
			if !slices.Equal(verbs, c.want) || !slices.Equal(ids, []string{"a", "b", "c"}) {
				t.Errorf("%v of %v, want %v", verbs, ids, c.want)
			}
		})
	}
}
