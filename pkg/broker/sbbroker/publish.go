package sbbroker

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

const (
	sendTry    = 5 * time.Second // one transfer; then it is sent again under the same ids
	maxInBatch = 1000            // messages of a transfer; the service takes 4,500
)

// Publish sends the messages of each type in as few transfers as the broker's size limit allows.
func (b *Broker) Publish(ctx context.Context, messages ...broker.Message) error {
	var order []string
	byEntity := map[string][]*azservicebus.Message{}
	for _, m := range messages {
		if err := m.Check(); err != nil {
			return err
		}
		entity := b.Topology.Name(m.Type)
		if byEntity[entity] == nil {
			order = append(order, entity)
		}
		byEntity[entity] = append(byEntity[entity], b.encode(m))
	}
	ctx, cancel := b.limit(ctx)
	defer cancel()
	for _, entity := range order {
		if err := b.store(ctx, entity, byEntity[entity]); err != nil {
			return err
		}
	}
	return nil
}

// limit gives a call without a deadline one.
func (b *Broker) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, limited := ctx.Deadline(); limited {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, b.PublishTimeout)
}

// store sends the messages until all are acknowledged, ctx ends, or an error says that trying again is useless. A connection
// lost after sending leaves open what was stored; the ids stay the same, so that duplicate detection drops the repetition.
func (b *Broker) store(ctx context.Context, entity string, messages []*azservicebus.Message) error {
	pause := firstPause
	for len(messages) > 0 {
		n, err := b.send(ctx, entity, messages)
		if err == nil {
			messages, pause = messages[n:], firstPause
			continue
		}
		if final := verdict(err); final != nil {
			b.state.note("sending to "+entity, final, b.Now())
			return final
		}
		if !wait(ctx, pause) {
			return gaveUp(ctx, err)
		}
		pause = min(2*pause, longPause)
	}
	b.state.clear("sending to " + entity)
	return nil
}

// send fills one batch and sends it; it returns how many messages went with it.
func (b *Broker) send(ctx context.Context, entity string, messages []*azservicebus.Message) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTry)
	defer cancel()
	sender, err := b.sender(entity)
	if err != nil {
		return 0, err
	}
	batch, err := sender.NewMessageBatch(ctx, nil)
	if err != nil {
		return 0, err
	}
	n, err := fill(batch, messages)
	if err != nil {
		return 0, err
	}
	if err := sender.SendMessageBatch(ctx, batch, nil); err != nil {
		return 0, err
	}
	b.count.batches.Add(1)
	b.count.sent.Add(int64(n))
	return n, nil
}

// fill adds as many messages as fit. The batch is never empty when it returns nil: sending an empty one panics.
func fill(batch *azservicebus.MessageBatch, messages []*azservicebus.Message) (int, error) {
	for i, m := range messages[:min(len(messages), maxInBatch)] {
		err := batch.AddMessage(m, nil)
		if errors.Is(err, azservicebus.ErrMessageTooLarge) && i > 0 {
			return i, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return int(batch.NumMessages()), nil
}

// sender returns the one sender of an entity; it may be used by many at once.
func (b *Broker) sender(entity string) (*azservicebus.Sender, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.senders[entity]; s != nil {
		return s, nil
	}
	s, err := b.client.NewSender(entity, nil)
	if err != nil {
		return nil, fault.Wrap(err, fault.BrokerUnavailable, "the broker's connection was closed")
	}
	b.senders[entity] = s
	return s, nil
}
