package natsbroker

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/fault"
)

// The headers of a dead letter, beside those of the message.
const (
	headerSubscription = "taxiway-subscription"
	headerType         = "taxiway-type"
	headerLane         = "taxiway-lane"
	headerReason       = "taxiway-reason"
	headerDetail       = "taxiway-detail"
)

// storeDead stores the message in the stream of dead letters. Its subject takes one message, so that a second try
// changes nothing; the dedupe window would swallow a message that was replayed and has failed again, hence no message
// id.
func (s *share) storeDead(ctx context.Context, d broker.Delivery, o broker.Outcome) error {
	out := encode(d, deadSubject(s.Name, d.ID), "")
	for name, value := range map[string]string{
		headerSubscription: s.Name,
		headerType:         s.Type,
		headerLane:         string(s.Lane),
		headerReason:       string(o.Reason),
		headerDetail:       o.Detail,
	} {
		set(out.Header, name, value)
	}
	err := s.store(ctx, deadStream, []*nats.Msg{out})
	if hasCode(err, codeStoreFailed) { // it is there, or the stream is full
		if _, missing := s.find(ctx, s.Name, d.ID); missing == nil {
			err = nil
		}
	}
	if err != nil {
		return err
	}
	s.onStep(stepDeadLettered)
	return nil
}

// Peek reads message by message, oldest first.
func (b *Broker) Peek(ctx context.Context, visit func(broker.DeadLettered) bool) error {
	stream, err := b.js.Stream(ctx, deadStream)
	for seq := uint64(1); err == nil; {
		var raw *jetstream.RawStreamMsg
		if raw, err = stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(deadSubjects)); err == nil {
			if !visit(readDead(raw)) {
				return nil
			}
			seq = raw.Sequence + 1
		}
	}
	if isMissing(err) {
		return nil
	}
	return unavailable(ctx, err)
}

func readDead(raw *jetstream.RawStreamMsg) broker.DeadLettered {
	h := raw.Header
	d := decode(h, raw.Data, get(h, headerType), broker.Lane(get(h, headerLane)))
	d.NotBefore = time.Time{}
	return broker.DeadLettered{
		Message: d.Message, Subscription: get(h, headerSubscription), Attempts: d.Attempt, At: raw.Time.UTC(),
		Reason: fault.Code(get(h, headerReason)), Detail: get(h, headerDetail),
	}
}

// Replay publishes to the subject of the subscription. The server remembers the new id: when it says "duplicate", an
// earlier call got as far as that, and only the removal is left.
func (b *Broker) Replay(ctx context.Context, subscription, id, newID string) error {
	if err := adapter.NewID(id, newID); err != nil {
		return err
	}
	raw, err := b.find(ctx, subscription, id)
	if err != nil {
		return err
	}
	dead := readDead(raw)
	to := placeOf(broker.Subscription{Name: dead.Subscription, Type: dead.Type, Lane: dead.Lane})
	if err := b.reachable(ctx, to); err != nil {
		return err
	}
	dead.ID = newID
	out := encode(broker.Delivery{Message: dead.Message}, to.own, to.durable+" "+newID)
	if err := b.store(ctx, to.stream, []*nats.Msg{out}); err != nil {
		return err
	}
	return b.remove(ctx, raw)
}

// Delete removes the message from the stream of dead letters.
func (b *Broker) Delete(ctx context.Context, subscription, id string) error {
	raw, err := b.find(ctx, subscription, id)
	if err != nil {
		return err
	}
	return b.remove(ctx, raw)
}

func (b *Broker) find(ctx context.Context, subscription, id string) (*jetstream.RawStreamMsg, error) {
	stream, err := b.js.Stream(ctx, deadStream)
	if err == nil {
		var raw *jetstream.RawStreamMsg
		if raw, err = stream.GetLastMsgForSubject(ctx, deadSubject(subscription, id)); err == nil {
			return raw, nil
		}
	}
	if isMissing(err) {
		return nil, adapter.NoDeadLetter()
	}
	return nil, unavailable(ctx, err)
}

// reachable refuses to publish to a subscription that does not exist: no consumer would get the copy.
func (b *Broker) reachable(ctx context.Context, to place) error {
	_, err := b.js.Consumer(ctx, to.stream, to.durable)
	if isMissing(err) {
		return fault.New(fault.BrokerUnavailable, "the subscription does not exist now; start its service first")
	}
	return unavailable(ctx, err)
}

// remove is content when another caller removed the message first.
func (b *Broker) remove(ctx context.Context, raw *jetstream.RawStreamMsg) error {
	stream, err := b.js.Stream(ctx, deadStream)
	if err != nil {
		return unavailable(ctx, err)
	}
	err = stream.DeleteMsg(ctx, raw.Sequence)
	if now, missing := stream.GetLastMsgForSubject(ctx, raw.Subject); isMissing(missing) ||
		missing == nil && now.Sequence != raw.Sequence {
		return nil
	}
	return unavailable(ctx, err)
}

func isMissing(err error) bool {
	return errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound) ||
		errors.Is(err, jetstream.ErrStreamNotFound)
}
