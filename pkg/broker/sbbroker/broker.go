// Package sbbroker is the broker on Azure Service Bus.
//
// Each message type is a topic, each consumer name a subscription. Deliveries are peek-locked, and their locks renewed until
// they are settled; a settlement that a lost connection interrupts is finished by lock token. A short pause before another
// attempt is kept by whoever receives the message next, a long one by the broker, in a scheduled copy. What is given up goes
// to the native dead-letter sub-queue. Attempts are counted in a property of our own, so that neither lost locks nor restarts
// eat them; the broker's own delivery count stays the safety net for messages that kill their consumers.
package sbbroker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
)

// Options are the settings of a broker. Topology is required.
type Options struct {
	Topology        Topology
	DuplicateWindow time.Duration // as the topics have it; default DuplicateWindow
	HoldLimit       time.Duration // pauses up to this are held by a consumer, longer ones by the broker; default 10 s
	MaxHeld         int           // messages of one Consume that wait for their time; default 256
	PublishTimeout  time.Duration // how long Publish tries when its context has no deadline; default 15 s
	Logger          *slog.Logger  // default: silent
	Now             func() time.Time

	onStep func(step) // tests make a settlement end here, as a crash would
}

// step is a point between the two halves of something that takes two calls.
type step uint8

const (
	stepCopied   step = iota + 1 // the next attempt is stored, this one not completed
	stepReplayed                 // the copy of a dead letter is stored, the dead letter not removed
)

const (
	firstPause   = 50 * time.Millisecond
	longPause    = 2 * time.Second
	closeTimeout = 5 * time.Second
	sayEvery     = 30 * time.Second // while the start waits for the namespace
)

func (o Options) withDefaults() Options {
	if o.DuplicateWindow <= 0 {
		o.DuplicateWindow = DuplicateWindow
	}
	if o.HoldLimit <= 0 {
		o.HoldLimit = 10 * time.Second
	}
	if o.MaxHeld <= 0 {
		o.MaxHeld = 256
	}
	if o.PublishTimeout <= 0 {
		o.PublishTimeout = 15 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.onStep == nil {
		o.onStep = func(step) {}
	}
	return o
}

// Broker implements broker.Broker.
type Broker struct {
	Options
	client *azservicebus.Client
	state  conditions
	count  counters

	mu      sync.Mutex
	senders map[string]*pool[*azservicebus.Sender] // by entity
	inbound []source                               // queues that were consumed
	probe   *pool[*azservicebus.Receiver]          // of Health
}

var _ broker.Broker = (*Broker)(nil)

// New returns a broker that owns the client: Close closes it. It waits until the namespace answers or ctx ends.
func New(ctx context.Context, client *azservicebus.Client, o Options) (*Broker, error) {
	if err := o.Topology.check(); err != nil {
		return nil, err
	}
	b := &Broker{Options: o.withDefaults(), client: client, senders: map[string]*pool[*azservicebus.Sender]{}}
	b.probe = newPool(1, func() (*azservicebus.Receiver, error) { return b.Topology.all()[0].receiver(client, 0) })
	if err := b.greet(ctx); err != nil {
		return nil, about(b.probed(), err)
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
		if now := b.Now(); err != nil && verdict(err) == nil && ctx.Err() == nil && now.Sub(said) >= sayEvery {
			b.Logger.WarnContext(ctx, "waiting for the Service Bus namespace", "asking", b.probed(), "error", err)
			said = now
		}
		return err
	})
}

// Close ends the connection.
func (b *Broker) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	return b.client.Close(ctx)
}

// persist tries until it works, ctx ends, or an error says that trying again is useless. The client library tries again by
// itself, but gives up soon.
func persist(ctx context.Context, try func(context.Context) error) error {
	var last error
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if final := verdict(err); final != nil {
			return final
		}
		if last == nil || ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
			last = err // what comes with the end of time explains less than what came before
		}
		if !wait(ctx, pause) {
			return gaveUp(ctx, last)
		}
	}
}

// wait pauses and reports whether ctx is still alive.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
