package natsbroker

import (
	"context"
	"errors"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

// deadLetter stores the message in the stream of dead letters. Its subject takes one message, so that a second try changes nothing; the
// dedupe window would swallow a message that was replayed and has failed again, hence no message id.
func (d *delivery) deadLetter(ctx context.Context, o broker.Outcome) error {
	s := d.share
	out := encode(d.Message, s.deadLetter(s.sub.Name, d.ID), "")
	delete(out.Header, headerNotBefore)
	for name, value := range map[string]string{
		headerAttempt:      strconv.Itoa(d.Attempt),
		headerSubscription: s.sub.Name,
		headerDurable:      s.durable,
		headerReason:       string(o.Reason),
		headerDetail:       o.Detail,
		headerDeadAt:       stamp(s.Now()),
		headerPublished:    stamp(d.Published),
	} {
		set(out.Header, name, value)
	}
	if err := s.store(ctx, []*nats.Msg{out}); err != nil && !s.isDead(ctx, err, out.Subject) {
		return err
	}
	s.onStep(stepDeadLettered)
	return nil
}

// isDead tells "already there" from "full": both are the same error code.
func (b *Broker) isDead(ctx context.Context, err error, subject string) bool {
	if !hasCode(err, codeStoreFailed) {
		return false
	}
	_, missing := b.lastDead(ctx, subject)
	return missing == nil
}

func (b *Broker) lastDead(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	stream, err := b.js.Stream(ctx, b.dead())
	if err != nil {
		return nil, err
	}
	return stream.GetLastMsgForSubject(ctx, subject)
}

// Peek reads message by message, oldest first.
func (b *Broker) Peek(ctx context.Context, visit func(broker.DeadLettered) bool) error {
	stream, err := b.js.Stream(ctx, b.dead())
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return unavailable(ctx, err)
	}
	every := b.deadSubjects()[0]
	for seq := uint64(1); ; {
		raw, err := stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(every))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return unavailable(ctx, err)
		}
		if !visit(b.readDead(raw)) {
			return nil
		}
		seq = raw.Sequence + 1
	}
}

func (b *Broker) readDead(raw *jetstream.RawStreamMsg) broker.DeadLettered {
	p := broker.DeadLettered{
		Message:      b.decode(raw.Header, raw.Subject, raw.Data),
		Subscription: get(raw.Header, headerSubscription),
		Reason:       fault.Code(get(raw.Header, headerReason)),
		Detail:       get(raw.Header, headerDetail),
		Attempts:     attempt(raw.Header),
		At:           parseStamp(get(raw.Header, headerDeadAt)),
	}
	if p.At.IsZero() {
		p.At = raw.Time.UTC()
	}
	return p
}

// Replay publishes to the subject of the subscription. The server remembers the new id: when it says "duplicate", an
// earlier call got as far as that, and only the removal is left.
func (b *Broker) Replay(ctx context.Context, subscription, id, newID string) error {
	if !broker.ValidID(newID) || newID == id {
		return fault.New(fault.RequestInvalid, "a replay needs a new and valid message id")
	}
	raw, err := b.find(ctx, subscription, id)
	if err != nil {
		return err
	}
	to := get(raw.Header, headerDurable)
	if err := b.reachable(ctx, to); err != nil {
		return err
	}
	m := b.decode(raw.Header, raw.Subject, raw.Data)
	m.ID = newID
	if err := b.store(ctx, []*nats.Msg{encode(m, b.to(to), to+" "+newID)}); err != nil {
		return err
	}
	return b.removeDead(ctx, raw)
}

// Delete removes the message from the stream of dead letters.
func (b *Broker) Delete(ctx context.Context, subscription, id string) error {
	raw, err := b.find(ctx, subscription, id)
	if err != nil {
		return err
	}
	return b.removeDead(ctx, raw)
}

func (b *Broker) find(ctx context.Context, subscription, id string) (*jetstream.RawStreamMsg, error) {
	raw, err := b.lastDead(ctx, b.deadLetter(subscription, id))
	if errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, fault.New(fault.RequestNotFound, "there is no such dead letter")
	}
	return raw, unavailable(ctx, err)
}

// reachable refuses to publish to a subscription that does not exist: nobody would get the copy.
func (b *Broker) reachable(ctx context.Context, durable string) error {
	_, err := b.js.Consumer(ctx, b.home(durable), durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		return fault.New(fault.BrokerUnavailable, "the subscription does not exist now; start its service first")
	}
	return unavailable(ctx, err)
}

// removeDead is content when somebody else removed the message first.
func (b *Broker) removeDead(ctx context.Context, raw *jetstream.RawStreamMsg) error {
	stream, err := b.js.Stream(ctx, b.dead())
	if err != nil {
		return unavailable(ctx, err)
	}
	err = stream.DeleteMsg(ctx, raw.Sequence)
	if now, missing := stream.GetLastMsgForSubject(ctx, raw.Subject); errors.Is(missing, jetstream.ErrMsgNotFound) || missing == nil && now.Sequence != raw.Sequence {
		return nil
	}
	return unavailable(ctx, err)
}

// unavailable translates an error of the server or the connection; nil stays nil, a cancellation a cancellation.
func unavailable(ctx context.Context, err error) error {
	if err == nil || errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return fault.Wrap(err, fault.BrokerUnavailable, "the broker does not answer")
}
