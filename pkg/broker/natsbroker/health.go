package natsbroker

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

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
	if b.Server != nil {
		if err := b.Server.Health(); err != nil {
			return err
		}
	}
	for _, name := range []string{b.work(), b.dead()} {
		stream, err := b.js.Stream(ctx, name)
		if err != nil {
			return unavailable(ctx, err)
		}
		info := stream.CachedInfo()
		if limit := info.Config.MaxBytes; limit > 0 && info.State.Bytes >= uint64(limit)/100*fullAt {
			return fault.Newf(fault.BrokerBusy, "the stream %s is full", name)
		}
	}
	if stuck := b.stalls.list(); len(stuck) > 0 {
		return fault.Newf(fault.BrokerUnavailable, "messages wait and are not delivered: %s", strings.Join(stuck, ", "))
	}
	return nil
}

// stalls remembers subscriptions for which messages wait while pulls return nothing.
type stalls struct {
	mu  sync.Mutex
	now map[string]bool
}

func (s *stalls) set(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		s.now = map[string]bool{}
	}
	s.now[name] = true
}

func (s *stalls) clear(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.now, name)
}

func (s *stalls) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.now {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// watch is the watchdog: consumers have been seen to fall silent after a restart or a failover. When nothing came for two
// leases it asks the server, and if messages wait, looks for the consumer again and says so.
func (s *share) watch(ctx context.Context, came int) {
	now := s.Now()
	if came > 0 {
		s.idle = now
		s.stalls.clear(s.durable)
		return
	}
	if now.Sub(s.idle) < max(2*s.sub.Lease, pollWait) || ctx.Err() != nil {
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
		s.stalls.clear(s.durable)
	default:
		s.cons = nil
		s.stalls.set(s.durable)
		s.Logger.ErrorContext(ctx, "messages wait and are not delivered", "subscription", s.durable,
			"count", info.NumPending, "unacknowledged", info.NumAckPending, "limit", info.Config.MaxAckPending, "lease", time.Duration(s.sub.Lease))
	}
}
