package natsbroker

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"taxiway.example/pkg/fault"
)

// remindEvery is how often the log says that we still wait for the first connection.
const remindEvery = 30 * time.Second

// Connect opens a connection that reconnects for ever, also when it is refused: what lets us in may be away for a
// moment. It finds frozen servers by pings, and never buffers publishes while it is down: what is buffered looks sent.
// The URL may list several servers, separated by commas. It waits for the first connection until ctx ends, and the log
// (nil: none) says why.
func Connect(ctx context.Context, servers string, log *slog.Logger, extra ...nats.Option) (*nats.Conn, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	opened := make(chan struct{}, 1)
	failed := make(chan error, 1)
	opts := append(append([]nats.Option{
		nats.Name("taxiway"),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 500*time.Millisecond),
		nats.RetryOnFailedConnect(true),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(2 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.Timeout(dialTimeout(ctx)),
		nats.ConnectHandler(func(*nats.Conn) { opened <- struct{}{} }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			select {
			case failed <- err:
			default:
			}
		}),
	}, reporting(log)...), extra...)
	nc, err := nats.Connect(servers, opts...)
	if err != nil {
		return nil, fault.Wrap(err, fault.BrokerUnavailable, "the broker's address or credentials are not usable")
	}
	remind := time.NewTicker(remindEvery)
	defer remind.Stop()
	first := failed
	why := error(nil)
	for {
		select {
		case <-opened:
			return nc, nil
		case <-ctx.Done():
			nc.Close()
			return nil, fault.Wrap(ctx.Err(), fault.BrokerUnavailable, "the broker could not be reached")
		case why = <-first:
			first = nil
		case <-remind.C:
		}
		log.WarnContext(
			ctx,
			"no connection to the broker yet",
			"servers",
			nc.Servers(),
			"error",
			cmp.Or(nc.LastError(), why),
		)
	}
}

// reporting tells the log what happens to a connection. While it is refused the same error comes with every try: it is
// told once. Handlers run one after the other.
func reporting(log *slog.Logger) []nats.Option {
	told := ""
	return []nats.Option{
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if told != err.Error() {
				told = err.Error()
				log.Warn("the connection to the broker has an error", "error", err)
			}
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // nil: we closed it
				log.Warn("the connection to the broker was lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			told = ""
			log.Info("the connection to the broker is back", "server", nc.ConnectedAddr())
		}),
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
