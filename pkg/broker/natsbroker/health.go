package natsbroker

import (
	"context"
	"strings"

	"github.com/nats-io/nats.go"

	"taxiway.example/pkg/fault"
)

// fullAt is the part of a stream's limit, in percent, from which we call it full.
const fullAt = 98

// Health returns nil when the server answers, both streams can take messages, and no subscription is stuck.
func (b *Broker) Health(ctx context.Context) error {
	if s := b.nc.Status(); s != nats.CONNECTED {
		return fault.Newf(fault.BrokerUnavailable, "the connection is %s", strings.ToLower(s.String()))
	}
	for _, name := range []string{workStream, deadStream} {
		stream, err := b.js.Stream(ctx, name)
		if err != nil {
			return unavailable(ctx, err)
		}
		info := stream.CachedInfo()
		if limit := info.Config.MaxBytes; limit > 0 && info.State.Bytes >= uint64(limit)/100*fullAt {
			return fault.Newf(fault.BrokerBusy, "the stream %s is full", name)
		}
	}
	return b.state.Worst(b.Now())
}

// watch is the watchdog: consumers have been seen to fall silent after a restart or a failover. When nothing came for
// two leases it asks the server, and if messages wait, looks up the consumer again and says so.
func (s *share) watch(ctx context.Context, came int) {
	now := s.Now()
	if came > 0 {
		s.idle = now
		s.stalled = nil
		s.state.Clear(s.durable)
		return
	}
	if s.stalled != nil {
		s.state.Note(s.durable, s.stalled, now)
	}
	if now.Sub(s.idle) < max(2*s.Lease, pollWait) || ctx.Err() != nil {
		return
	}
	s.idle = now
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	info, err := s.cons.Info(ctx)
	switch {
	case err != nil:
		s.cons = nil
	case info.NumPending == 0:
		s.stalled = nil
		s.state.Clear(s.durable)
	default:
		s.cons = nil
		s.stalled = fault.New(fault.BrokerUnavailable, "messages wait and are not delivered")
		s.state.Note(s.durable, s.stalled, now)
		s.Logger.ErrorContext(
			ctx,
			"messages wait and are not delivered",
			"subscription",
			s.durable,
			"count",
			info.NumPending,
			"unacknowledged",
			info.NumAckPending,
			"limit",
			info.Config.MaxAckPending,
			"lease",
			s.Lease,
		)
	}
}
