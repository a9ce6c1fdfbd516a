package pipeline_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/pipeline"
)

// consumer notes its subscriptions and hands each one delivery of its type.
type consumer struct {
	t    *testing.T
	mu   sync.Mutex
	subs []string
}

func (c *consumer) Consume(ctx context.Context, sub broker.Subscription, h broker.Handler) error {
	c.mu.Lock()
	c.subs = append(c.subs, sub.Name+" "+sub.Type+" "+string(sub.Lane))
	c.mu.Unlock()
	e := sample()
	if e.Type = event.Type(sub.Type); e.Type == event.SubmissionDue {
		e.Devices = nil
		e.Submission = "s1"
	}
	if out := h(ctx, delivery(c.t, e, 1)); out != broker.Acknowledge() {
		c.t.Errorf("%s: %+v", sub.Type, out)
	}
	return nil
}

// A service subscribes to what the table of events says, in both lanes, and each type goes to its use case.
func TestConsume(t *testing.T) {
	t.Parallel()
	want := func(typ event.Type) pipeline.UseCase {
		return func(_ context.Context, e event.Event) error {
			if e.Type != typ {
				t.Errorf("the use case of %s got %s", typ, e.Type)
			}
			return nil
		}
	}
	c := &consumer{t: t}
	use := map[event.Type]pipeline.UseCase{
		event.DevicesCollected: want(event.DevicesCollected), event.SubmissionDue: want(event.SubmissionDue),
	}
	sub := broker.Subscription{Name: event.Importer}
	var mu sync.Mutex
	var through []string
	around := func(typ event.Type, lane broker.Lane, use pipeline.UseCase) pipeline.UseCase {
		return func(ctx context.Context, e event.Event) error {
			mu.Lock()
			defer mu.Unlock()
			through = append(through, "importer "+string(typ)+" "+string(lane))
			return use(ctx, e)
		}
	}
	if err := pipeline.Consume(t.Context(), c, sub, pipeline.Config{DeadLetters: &records{}, Around: around}, use); err != nil {
		t.Fatal(err)
	}
	slices.Sort(c.subs)
	slices.Sort(through)
	if !slices.Equal(c.subs, through) {
		t.Errorf("around the use cases came %v", through)
	}
	if !slices.Equal(c.subs, []string{
		"importer devices.collected.v1 bulk", "importer devices.collected.v1 single",
		"importer submissions.due.v1 bulk", "importer submissions.due.v1 single",
	}) {
		t.Errorf("%v", c.subs)
	}
	for name, use := range map[string]map[event.Type]pipeline.UseCase{
		"one is missing": {event.DevicesCollected: want(event.DevicesCollected)},
		"another's":      {event.DevicesCollected: want(event.DevicesCollected), event.DevicesReady: want(event.DevicesReady)},
	} {
		c := &consumer{t: t}
		if err := pipeline.Consume(t.Context(), c, sub, pipeline.Config{}, use); fault.CodeOf(
			err,
		) != fault.MessageUnknownType ||
			len(c.subs) > 0 {
			t.Errorf("%s: %v, %v", name, err, c.subs)
		}
	}
}
