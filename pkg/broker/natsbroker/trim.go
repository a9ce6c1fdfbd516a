package natsbroker

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// Trim removes messages that every subscription has acknowledged, of those that were there at the previous Trim: on a
// cluster a consumer may hear of a message later than its stream. Without any subscription nothing is removed. Several
// processes may trim at once.
func (b *Broker) Trim(ctx context.Context) error {
	listing, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	queues, err := b.queues(listing)
	errs := []error{err, b.trim(ctx, workStream)}
	for _, queue := range queues {
		errs = append(errs, b.trim(ctx, queue))
	}
	return errors.Join(errs...)
}

func (b *Broker) trim(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	stream, err := b.js.Stream(ctx, name)
	if err != nil {
		return err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return err
	}
	before, known := b.seen.Swap(name, info.State.LastSeq)
	if !known {
		return nil
	}
	last := min(before.(uint64), info.State.LastSeq)
	list := stream.ListConsumers(ctx)
	var consumers []*jetstream.ConsumerInfo
	for c := range list.Info() {
		consumers = append(consumers, c)
	}
	if err := list.Err(); err != nil {
		return err
	}
	floor := floorOf(consumers, info.State.Consumers, last)
	if info.State.Msgs == 0 || floor < info.State.FirstSeq {
		return nil
	}
	return stream.Purge(ctx, jetstream.WithPurgeSequence(floor+1))
}

// floorOf returns up to where no consumer needs anything any more, 0 when that is not known. On a cluster the list
// leaves out consumers that have no leader at the moment, and may hold another one twice.
func floorOf(consumers []*jetstream.ConsumerInfo, want int, last uint64) uint64 {
	floor := last
	names := map[string]bool{}
	for _, c := range consumers {
		names[c.Name] = true
		floor = min(floor, done(c, last))
	}
	if len(names) == 0 || len(names) < want {
		return 0
	}
	return floor
}

// done returns up to where a consumer needs nothing any more. The floor of a consumer moves only when it acknowledges,
// so that one with nothing to do and nothing in hand counts as far as the stream went. Without a leader it is not known
// what it has in hand.
func done(c *jetstream.ConsumerInfo, last uint64) uint64 {
	leaderless := c.Cluster != nil && c.Cluster.Leader == ""
	if c.NumPending == 0 && c.NumAckPending == 0 && !leaderless {
		return last
	}
	return c.AckFloor.Stream
}
