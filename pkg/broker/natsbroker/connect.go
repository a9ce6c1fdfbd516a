package natsbroker

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"taxiway.example/pkg/fault"
)

// Connect opens a connection that reconnects for ever, finds frozen servers by pings, and never buffers publishes while it
// is down: what is buffered looks sent. The URL may list several servers, separated by commas. It waits for the first
// connection until ctx ends.
func Connect(ctx context.Context, url string, extra ...nats.Option) (*nats.Conn, error) {
	opened := make(chan struct{}, 1)
	opts := append([]nats.Option{
		nats.Name("taxiway"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 500*time.Millisecond),
		nats.RetryOnFailedConnect(true),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(2 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.Timeout(dialTimeout(ctx)),
		nats.ConnectHandler(func(*nats.Conn) { opened <- struct{}{} }),
	}, extra...)
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, fault.Wrap(err, fault.BrokerUnavailable, "the broker's address or credentials are not usable")
	}
	select {
	case <-opened:
		return nc, nil
	case <-ctx.Done():
		nc.Close()
		return nil, fault.Wrap(ctx.Err(), fault.BrokerUnavailable, "the broker could not be reached")
	}
}

// dialTimeout bounds one attempt to connect, of which the first happens within nats.Connect, which knows no context.
func dialTimeout(ctx context.Context) time.Duration {
	const most, least = 5 * time.Second, 10 * time.Millisecond
	if deadline, ok := ctx.Deadline(); ok {
		return max(min(time.Until(deadline), most), least)
	}
	return most
}
