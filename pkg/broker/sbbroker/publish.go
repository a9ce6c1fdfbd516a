package sbbroker

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/fault"
)

const (
	sendTry    = 5 * time.Second // one transfer; then it is sent again under the same ids
	maxInBatch = 1000            // messages of a transfer; the service takes 4,500
	atOnce     = 4               // transfers to one entity, or settlements of one subscription
)

// Publish sends the messages of each type and lane in as few transfers as the broker's size limit allows.
func (b *Broker) Publish(ctx context.Context, messages ...broker.Message) error {
	var order []string
	byEntity := map[string][]*azservicebus.Message{}
	for _, m := range messages {
		if err := m.Check(); err != nil {
			return err
		}
		entity := b.Topology.Name(m.Type, m.Lane)
		if byEntity[entity] == nil {
			order = append(order, entity)
		}
		byEntity[entity] = append(byEntity[entity], b.encode(broker.Delivery{Message: m}))
	}
	ctx, cancel := adapter.Limit(ctx, b.PublishTimeout)
	defer cancel()
	for _, entity := range order {
		if err := b.store(ctx, entity, byEntity[entity]); err != nil {
			return err
		}
	}
	return nil
}

// store sends the messages until all are acknowledged, ctx ends, or an error says that trying again is useless. A
// connection lost after sending leaves open what was stored; the ids stay the same, so that duplicate detection drops
// the repetition. What is wrong with the queues of an inbound source concerns that source and is no condition of the
// process.
func (b *Broker) store(ctx context.Context, entity string, messages []*azservicebus.Message) error {
	for len(messages) > 0 {
		err := persist(ctx, func(ctx context.Context) error {
			n, err := b.send(ctx, entity, messages)
			messages = messages[n:]
			return err
		})
		if err != nil {
			if !fault.IsCancel(err) && !b.Topology.isInbound(entity) {
				b.state.Note("sending to "+entity, err, b.Now())
			}
			return adapter.About(entity, err)
		}
	}
	b.state.Clear("sending to " + entity)
	return nil
}

// send fills one batch and sends it; it returns how many messages went with it.
func (b *Broker) send(ctx context.Context, entity string, messages []*azservicebus.Message) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTry)
	defer cancel()
	n := 0
	err := b.sendersOf(entity).use(ctx, func(s *azservicebus.Sender) error {
		batch, err := s.NewMessageBatch(ctx, nil)
		if err != nil {
			return err
		}
		if n, err = fill(batch, messages); err != nil {
			return err
		}
		return s.SendMessageBatch(ctx, batch, nil)
	})
	if err != nil {
		return 0, err
	}
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

func (b *Broker) sendersOf(entity string) *pool[*azservicebus.Sender] {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.senders[entity]
	if p == nil {
		p = newPool(atOnce, func() (*azservicebus.Sender, error) { return b.client.NewSender(entity, nil) })
		b.senders[entity] = p
	}
	return p
}
