// Package brokertest is the contract of the broker seam as a test suite. An adapter passes Run; nothing is excused.
package brokertest

import (
	"context"
	"testing"
	"time"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/slowness"
)

// Harness is an empty store of one backend, made for one test.
type Harness struct {
	// Open returns another client of the store. The named subscriptions exist when it returns, if the backend needs
	// set-up; others begin to exist with their first Consume. The suite closes the client.
	Open func(t *testing.T, subs ...broker.Subscription) broker.Broker
	// Restart stops the backend without warning and starts it again on the same store. Open clients reconnect.
	Restart func(t *testing.T)
	// Sever drops all connections. Open clients reconnect.
	Sever func(t *testing.T)
	// Dying returns a client like Open's whose process dies between the two halves of dead-lettering: the dead letter
	// is stored, the message not acknowledged, and the lease is not renewed any more. Nil when the backend does both in
	// one call.
	Dying func(t *testing.T, subs ...broker.Subscription) broker.Broker
	// Foreign puts a message into an inbound queue as a program would that has never heard of us; without an id when id
	// is "". It waits until there is a queue to put it into.
	Foreign func(t *testing.T, messageType, id string, body []byte)
	// Lease is a lease that is long enough for heartbeats, and short enough to wait for. The suite stretches it on a
	// slow machine.
	Lease time.Duration
}

// scene is one test on one harness.
type scene struct {
	t *testing.T
	h Harness
}

// Run holds a backend to the contract. Each test gets a harness of its own from open and runs in parallel with others.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for _, group := range []map[string]func(scene){
		publishing, lanes, consuming, retrying, deadLetters, surviving, inbound,
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := open(t)
				h.Lease = slowness.Stretch(h.Lease)
				test(scene{t, h})
			})
		}
	}
}

// sub is the subscription most tests use.
func (h Harness) sub() broker.Subscription {
	return broker.Subscription{Name: "importer", Type: "devices.collected.v1", Lane: broker.Bulk, Lease: h.Lease}
}

func (h Harness) open(t *testing.T, subs ...broker.Subscription) broker.Broker {
	t.Helper()
	return closing(t, h.Open(t, subs...))
}

func closing(t *testing.T, b broker.Broker) broker.Broker {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := awaittest.Context(context.WithoutCancel(t.Context()))
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}
