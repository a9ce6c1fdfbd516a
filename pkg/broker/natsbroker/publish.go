package natsbroker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/fault"
)

const (
	ackTimeout = 5 * time.Second // for one acknowledgement; then the message is sent again under the same id
	maxPending = 4096            // unacknowledged messages of this process; the server refuses beyond 10,000 a stream
	// unacknowledged messages of one Publish, 33 MB at most; the server refuses beyond 128 MB a stream
	windowLen = 128
)

// codeStoreFailed is what the server answers when a limit of the stream forbids to store a message.
const codeStoreFailed jetstream.ErrorCode = 10077

// Publish stores the messages, pipelined, and waits until the server has them on disk.
func (b *Broker) Publish(ctx context.Context, messages ...broker.Message) error {
	encoded := make([]*nats.Msg, len(messages))
	for i, m := range messages {
		if err := m.Check(); err != nil {
			return err
		}
		encoded[i] = encode(broker.Delivery{Message: m}, eventSubject(m), m.ID)
	}
	ctx, cancel := adapter.Limit(ctx, b.PublishTimeout)
	defer cancel()
	for part := range slices.Chunk(encoded, windowLen) {
		if err := b.store(ctx, workStream, part); err != nil {
			return err
		}
	}
	return nil
}

// store sends the messages to a stream until each is acknowledged, ctx ends, or an error says that trying again is
// useless. Repeating is safe within the dedupe window, because the ids stay the same.
func (b *Broker) store(ctx context.Context, stream string, messages []*nats.Msg) error {
	final := func(err error) error { return b.final(err, stream) }
	err := adapter.Persist(ctx, final, func(ctx context.Context) error {
		failed, err := b.send(ctx, messages)
		messages = failed
		if errors.Is(err, jetstream.ErrNoStreamResponse) {
			if err := b.setUp(ctx, false); err != nil {
				b.Logger.WarnContext(ctx, "the streams cannot be checked", "error", err)
			}
		}
		return err
	})
	return adapter.GaveUp(ctx, err)
}

// send publishes all messages and collects the acknowledgements; it returns what failed, and one of the reasons.
func (b *Broker) send(ctx context.Context, messages []*nats.Msg) (failed []*nats.Msg, reason error) {
	futures := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		var err error
		if futures[i], err = b.js.PublishMsgAsync(m); err != nil {
			reason = err
		}
	}
	for i, f := range futures {
		if f == nil {
			failed = append(failed, messages[i])
			continue
		}
		select {
		case <-f.Ok():
		case err := <-f.Err():
			failed = append(failed, messages[i])
			reason = err
		case <-ctx.Done():
			return messages[i:], ctx.Err()
		}
	}
	return failed, reason
}

// final translates errors that stay when the message is sent again; nil means that trying again makes sense.
func (b *Broker) final(err error, stream string) error {
	switch {
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum):
		return fault.Wrap(err, fault.MessageTooLarge, "the message is larger than the broker's limit")
	case hasCode(err, codeStoreFailed):
		return fault.Wrap(err, fault.BrokerBusy, "the broker's stream "+stream+" is full")
	case errors.Is(err, nats.ErrConnectionClosed), b.nc.IsClosed():
		return fault.Wrap(err, fault.BrokerUnavailable, "the broker's connection was closed")
	}
	return nil
}

func hasCode(err error, code jetstream.ErrorCode) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.ErrorCode == code
}

// unavailable translates an error of a call that is not repeated; nil stays nil, a cancellation a cancellation.
func unavailable(ctx context.Context, err error) error {
	if err == nil || errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return fault.Wrap(err, fault.BrokerUnavailable, "the broker does not answer")
}
