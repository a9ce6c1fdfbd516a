package natsbroker

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
)

const completeTry = 5 * time.Second // one try

// delivery reads a message of the subscription.
func (s *share) delivery(msg jetstream.Msg) broker.Delivery {
	h := msg.Headers()
	meta, err := msg.Metadata()
	if err != nil {
		meta = &jetstream.MsgMetadata{} // no message of a stream; its consumer gives us no others
	}
	if broker.IsInbound(s.Type) && msg.Subject() == s.subject {
		h = s.adopt(h, meta, msg.Data())
	}
	d := decode(h, msg.Data(), s.Type, s.Lane)
	if d.Published.IsZero() {
		d.Published = meta.Timestamp.UTC()
	}
	if d.ID == "" {
		d.ID = "seq-" + strconv.FormatUint(meta.Sequence.Stream, 10)
	}
	d.Reply = s.replier(d.Message)
	return d
}

func (s *share) held(d broker.Delivery, msg jetstream.Msg) adapter.Held {
	return adapter.Held{
		Delivery: d, Lease: s.Lease,
		Renew:  func(context.Context) error { return msg.InProgress() },
		Settle: func(ctx context.Context, o broker.Outcome) error { return s.complete(ctx, d, msg, o) },
	}
}

// complete does the first half of an outcome (store what follows from it), then the second (acknowledge). The first is
// safe to repeat.
func (s *share) complete(ctx context.Context, d broker.Delivery, msg jetstream.Msg, o broker.Outcome) error {
	ctx, cancel := context.WithTimeout(ctx, completeTry)
	defer cancel()
	var err error
	switch o.Action {
	case broker.ActionRelease:
		_ = msg.Nak() // if lost on the way, it comes after the lease instead
		return nil
	case broker.ActionRetry:
		err = s.copy(ctx, d, o.Pause)
	case broker.ActionDeadLetter:
		err = s.storeDead(ctx, d, o)
	}
	if err != nil {
		return err
	}
	return s.ack(ctx, msg)
}

// copy stores the next attempt, for this subscription only.
func (s *share) copy(ctx context.Context, d broker.Delivery, pause time.Duration) error {
	d.NotBefore = s.Now().Add(pause)
	d.Attempt++
	// Ids hold no blanks, so that this one cannot be another message's.
	out := encode(d, s.own, s.durable+" "+d.ID+" "+strconv.Itoa(d.Attempt))
	if err := s.store(ctx, s.stream, []*nats.Msg{out}); err != nil {
		return err
	}
	s.onStep(stepCopied)
	return nil
}

// ack acknowledges and waits for the server's word. A consumer that was deleted has nothing to acknowledge.
func (s *share) ack(ctx context.Context, msg jetstream.Msg) error {
	err := msg.DoubleAck(ctx)
	if errors.Is(err, nats.ErrNoResponders) {
		if _, missing := s.js.Consumer(ctx, s.stream, s.durable); isMissing(missing) {
			return nil
		}
	}
	return err
}
