// Package sbbroker is the broker on Azure Service Bus.
//
// Each message type has a topic for each lane, each consumer name a subscription. Deliveries are peek-locked, and their
// locks renewed until they are settled; a settlement that a lost connection interrupts is finished by lock token.
// Another attempt is a copy, which the broker keeps until its time; it is stored before the message is completed. Dead
// letters go to the native sub-queue. Attempts are counted in a property of our own, so that neither lost locks nor
// restarts eat them; the broker's own delivery count stays the safety net for messages that kill their consumers.
package sbbroker

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
)

// Options are the settings of a broker. Topology is required.
type Options struct {
	Topology       Topology
	PublishTimeout time.Duration // how long Publish tries when its context has no deadline; default 15 s
	Logger         *slog.Logger  // default: silent
	Now            func() time.Time

	onStep func(step) // tests make a settlement end here, as a crash would
}

// step is a point between the two halves of something that takes two calls.
type step uint8

const (
	stepCopied   step = iota + 1 // the next attempt is stored, this one not completed
	stepReplayed                 // the copy of a dead letter is stored, the dead letter not removed
)

const (
	closeTimeout = 5 * time.Second
	sayEvery     = 30 * time.Second // while the start waits for the namespace
)

func (o Options) withDefaults() Options {
	o.PublishTimeout = cmp.Or(o.PublishTimeout, 15*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.onStep == nil {
		o.onStep = func(step) {}
	}
	return o
}

// ClientOptions make the client library mend links and connections quickly: it mends only while it tries again.
func ClientOptions() *azservicebus.ClientOptions {
	return &azservicebus.ClientOptions{
		ApplicationID: "taxiway",
		RetryOptions: azservicebus.RetryOptions{
			MaxRetries:    2,
			RetryDelay:    50 * time.Millisecond,
			MaxRetryDelay: 2 * time.Second,
		},
	}
}

// Broker implements broker.Broker.
type Broker struct {
	Options
	client *azservicebus.Client
	state  adapter.Conditions
	pinged atomic.Pointer[time.Time] // the last time that succeeded

	mu      sync.Mutex
	senders map[string]*pool[*azservicebus.Sender] // by entity
	inbound []source                               // queues that were consumed
	probe   *pool[*azservicebus.Receiver]          // of Health
}

var _ broker.Broker = (*Broker)(nil)

// New returns a broker that owns the client: Close closes it, and so does a New that fails. It waits until the
// namespace answers or ctx ends.
func New(ctx context.Context, client *azservicebus.Client, o Options) (*Broker, error) {
	if err := o.Topology.check(); err != nil {
		return nil, err
	}
	b := &Broker{Options: o.withDefaults(), client: client, senders: map[string]*pool[*azservicebus.Sender]{}}
	b.probe = newPool(1, func() (*azservicebus.Receiver, error) { return b.Topology.all()[0].receiver(client, 0) })
	if err := b.greet(ctx); err != nil {
		return nil, errors.Join(adapter.About(b.probed(), err), b.Close(context.WithoutCancel(ctx)))
	}
	return b, nil
}

// greet waits for the namespace to answer, and says so while it has to.
func (b *Broker) greet(ctx context.Context) error {
	var said time.Time
	return persist(ctx, func(ctx context.Context) error {
		once, cancel := context.WithTimeout(ctx, pingTimeout)
		defer cancel()
		err := b.ping(once)
		if now := b.Now(); err != nil && final(err) == nil && ctx.Err() == nil && now.Sub(said) >= sayEvery {
			b.Logger.WarnContext(ctx, "waiting for the Service Bus namespace", "asking", b.probed(), "error", err)
			said = now
		}
		return err
	})
}

// Trim does nothing: the service removes what a subscription has completed.
func (b *Broker) Trim(context.Context) error { return nil }

// Close ends the connection.
func (b *Broker) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	return b.client.Close(ctx)
}
