package sbbroker

import (
	"context"
	"errors"
	"testing"
	"time"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/fault"
)

// importer is the subscription of most tests. Its lock is long: tests that want it to end move the clock.
var importer = broker.Subscription{Name: "importer", Type: "devices.collected.v1", Lease: time.Minute}

// importerEntity is where its messages wait in the namespace.
const importerEntity = "taxiway.devices.collected.v1.bulk/Subscriptions/importer"

const topicEntity = "taxiway.devices.collected.v1.bulk"

// bench is a simulated namespace with the importer's subscription.
type fixture struct {
	*testing.T
	simulated
	*backend
}

func newFixture(t *testing.T, subs ...broker.Subscription) *fixture {
	t.Helper()
	s := newSimulated(t)
	b := &fixture{t, s, s.backend(t, "devices.collected.v1", "submissions.due.v1")}
	b.subscribe(t, append(subs, importer)...)
	return b
}

func (b *fixture) broker(o Options) *Broker {
	b.Helper()
	br := b.open(b.T, o)
	b.Cleanup(func() {
		if err := br.Close(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
	})
	return br
}

func (b *fixture) want(entity string, want simulator.Counts) {
	b.Helper()
	got, err := b.Counts(entity)
	if err != nil || got != want {
		b.Errorf("%s holds %+v, want %+v (%v)", entity, got, want, err)
	}
}

func (b *fixture) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func work(id string) broker.Message {
	return broker.Message{ID: id, Type: importer.Type, Tenant: "contoso", Body: []byte("{}")}
}

func (b *fixture) publish(br *Broker, ids ...string) {
	b.Helper()
	messages := make([]broker.Message, len(ids))
	for i, id := range ids {
		messages[i] = work(id)
	}
	b.must(br.Publish(b.Context(), messages...))
}

// consume runs until stop or the end of the test; got receives every delivery before the handler is asked.
func (b *fixture) consume(
	br *Broker,
	sub broker.Subscription,
	h broker.Handler,
) (got chan broker.Delivery, stop func()) {
	b.Helper()
	got = make(chan broker.Delivery, 10_000)
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- br.Consume(ctx, sub, func(ctx context.Context, d broker.Delivery) broker.Outcome { got <- d; return h(ctx, d) })
	}()
	stopped := false
	stop = func() {
		cancel()
		if !stopped {
			stopped = true
			b.must(next(b.T, ended))
		}
	}
	b.Cleanup(stop)
	return got, stop
}

func done(context.Context, broker.Delivery) broker.Outcome { return broker.Acknowledge() }

func dead(context.Context, broker.Delivery) broker.Outcome {
	return broker.DeadLetter(fault.New(fault.MessageMalformed, "no JSON"))
}

var errTest = errors.New("made to fail by the test")

func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	return awaittest.Receive(t, "the next", from)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	awaittest.True(t, what, func(context.Context) bool { return ok() })
}

// dead lists the dead letters by id.
func (b *fixture) dead(br *Broker) map[string]broker.DeadLettered {
	b.Helper()
	found := map[string]broker.DeadLettered{}
	b.must(br.Peek(b.Context(), func(p broker.DeadLettered) bool { found[p.ID] = p; return true }))
	return found
}

// kill publishes messages that become dead letters.
func (b *fixture) kill(br *Broker, ids ...string) {
	b.Helper()
	got, stop := b.consume(br, importer, dead)
	b.publish(br, ids...)
	for range ids {
		next(b.T, got)
	}
	stop()
}
