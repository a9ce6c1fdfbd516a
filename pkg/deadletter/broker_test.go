package deadletter_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/natsbroker"
	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/natsserver"
)

func newBroker(t *testing.T) *natsbroker.Broker {
	t.Helper()
	server, err := natsserver.Start(t.TempDir(), natsserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := natsbroker.Connect(t.Context(), "", nil, server.InProcess()...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := natsbroker.New(t.Context(), nc, natsbroker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(b.Close(context.WithoutCancel(t.Context())), server.Close()) })
	return b
}

// A message that was given up in a broker is replayed: its consumer gets it once more, under the id of the result.
func TestReplayWithABroker(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := newBroker(t)
	later := func() time.Time { return start.Add(time.Hour) }
	s := deadletter.New(deadletter.Deps{Ledger: f.ledger, Queues: b, Now: later, Logger: slog.New(slog.DiscardHandler)})
	m := broker.Message{ID: "m-1", Type: "devices.collected.v1", Tenant: "contoso", Body: []byte("{}")}
	if err := b.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	// next consumes one message, and returns when it is acknowledged, or in the dead-letter queue.
	next := func(outcome broker.Outcome) string {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		id := ""
		sub := broker.Subscription{Name: "importer", Type: m.Type}
		err := b.Consume(ctx, sub, func(_ context.Context, d broker.Delivery) broker.Outcome {
			id = d.ID
			stop()
			return outcome
		})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	next(broker.DeadLetter(fault.New(fault.MessageMalformed, "no JSON")))
	id := f.record("contoso", m.ID, 0)
	results, err := s.Replay(t.Context(), ours, []string{id}, "fixed")
	if err != nil || results[0].Outcome != deadletter.Replayed {
		t.Fatal(results, err)
	}
	if got := next(broker.Acknowledge()); got != results[0].Message || got == m.ID {
		t.Errorf("%q came back, want %q", got, results[0].Message)
	}
	again, err := s.Replay(t.Context(), ours, []string{id}, "fixed")
	if err != nil || again[0].Code != fault.DeviceNotReplayable {
		t.Error(again, err)
	}
	closed, err := s.List(t.Context(), ours, deadletter.Query{State: ledger.DeadLetterReplayed})
	if err != nil || len(closed) != 1 || closed[0].ID != id {
		t.Error(closed, err)
	}
}
