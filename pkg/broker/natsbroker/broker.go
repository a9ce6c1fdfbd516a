// Package natsbroker is the broker on NATS JetStream.
//
// One stream carries the work of all subscriptions. It keeps messages by limits, refuses new ones when it is full, and
// is trimmed by us up to what every subscription has acknowledged: work that is not done is never dropped. Each
// subscription is a durable pull consumer. The server redelivers without end; attempts are counted in a header of our
// own, so that neither lost leases nor restarts eat them. Another attempt is a new copy on the subscription's own
// subject, stored before the old one is acknowledged. A second stream keeps the dead letters, one message per
// subscription and id.
package natsbroker

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/fault"
)

// Options are the settings of a broker; the zero value is good for a single server.
type Options struct {
	Replicas      int   // of the streams; default 1 for new ones, and as they are for others; 3 on a cluster
	MaxBytes      int64 // of the work stream; when it is full, Publish answers fault.BrokerBusy; default 2 GiB
	MaxDeadBytes  int64 // of the stream of dead letters; default 1 GiB
	MaxQueueBytes int64 // of each inbound queue; when it is full, its senders are refused; default 128 MiB
	// how long Publish tries when its context has no deadline; default 15 s: longer than a failover
	PublishTimeout time.Duration
	Logger         *slog.Logger // default: silent
	Now            func() time.Time

	onStep func(step) // tests make an acknowledgement end here, as a crash would
}

// step is a point between the two halves of an outcome.
type step uint8

const (
	stepCopied       step = iota + 1 // the next attempt is stored, this one not acknowledged
	stepDeadLettered                 // the dead letter is stored, this one not acknowledged
)

const (
	dedupeWindow = 10 * time.Minute
	adminTimeout = 10 * time.Second
	minPayload   = broker.MaxBody + 4*broker.MaxHeaders // headers grow when they are escaped
)

func (o Options) withDefaults() Options {
	o.MaxBytes = cmp.Or(o.MaxBytes, 2<<30)
	o.MaxDeadBytes = cmp.Or(o.MaxDeadBytes, 1<<30)
	o.MaxQueueBytes = cmp.Or(o.MaxQueueBytes, 128<<20)
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

// Broker implements broker.Broker.
type Broker struct {
	Options
	nc    *nats.Conn
	js    jetstream.JetStream
	state adapter.Conditions
	seen  sync.Map // the last message of each stream as of the previous Trim
}

var _ broker.Broker = (*Broker)(nil)

// New sets up the streams and returns a broker that owns the connection: Close closes it.
func New(ctx context.Context, nc *nats.Conn, o Options) (*Broker, error) {
	o = o.withDefaults()
	if nc.MaxPayload() < minPayload {
		return nil, fault.Newf(
			fault.BrokerUnavailable,
			"the broker's max_payload is %d bytes, %d are needed",
			nc.MaxPayload(),
			minPayload,
		)
	}
	js, err := jetstream.New(
		nc,
		jetstream.WithDefaultTimeout(adminTimeout),
		jetstream.WithPublishAsyncTimeout(ackTimeout),
		jetstream.WithPublishAsyncMaxPending(maxPending),
	)
	if err != nil {
		return nil, fault.Wrap(err, fault.BrokerUnavailable, "JetStream cannot be used")
	}
	b := &Broker{Options: o, nc: nc, js: js}
	if err := b.setUp(ctx, true); err != nil {
		return nil, err
	}
	return b, nil
}

// Close ends the connection.
func (b *Broker) Close(ctx context.Context) error {
	_ = b.nc.FlushWithContext(ctx) // naks of the last moment; losing them costs a lease
	// ends the publisher's goroutine too; CleanupPublisher may leave it behind when it has just begun
	b.nc.Close()
	return nil
}
