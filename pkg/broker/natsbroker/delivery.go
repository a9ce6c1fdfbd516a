package natsbroker

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
)

var errLeaseLost = errors.New("the lease was lost")

const (
	settleTry   = 5 * time.Second  // one try to settle
	settleLimit = 30 * time.Second // all tries
	settleGrace = 10 * time.Second // all tries after consuming was told to stop
)

// delivery is a message in our hands. Its lease is renewed from the moment it came until it is settled.
type delivery struct {
	broker.Delivery
	share *share
	msg   jetstream.Msg
	ctx   context.Context // ends with the lease or with consuming
	drop  context.CancelCauseFunc
	beats chan struct{} // closed when the heartbeat has ended
	held  chan struct{} // closed when the lease is not needed any more
}

// due takes a message on, or returns nil when it must not be delivered yet: the server brings it again later.
func (s *share) due(ctx context.Context, msg jetstream.Msg) *delivery {
	h := msg.Headers()
	meta, err := msg.Metadata()
	if err != nil {
		meta = &jetstream.MsgMetadata{} // no message of a stream; its consumer gives us no others
	}
	if s.isForeign(msg.Subject()) {
		h = s.adopt(h, msg.Subject(), meta, msg.Data())
	}
	m := s.decode(h, msg.Subject(), msg.Data())
	if early := m.NotBefore.Sub(s.Now()); early > 0 {
		_ = msg.NakWithDelay(early) // if lost, it comes after the lease instead
		return nil
	}
	published := parseStamp(get(h, headerPublished))
	if published.IsZero() {
		published = meta.Timestamp.UTC()
	}
	if m.ID == "" {
		m.ID = "seq-" + strconv.FormatUint(meta.Sequence.Stream, 10)
	}
	d := &delivery{
		Delivery: broker.Delivery{Message: m, Attempt: attempt(h), Published: published, Reply: s.replier(m)},
		share:    s, msg: msg, beats: make(chan struct{}), held: make(chan struct{}),
	}
	d.ctx, d.drop = context.WithCancelCause(ctx)
	go d.renew()
	return d
}

// renew is the heartbeat. When the server could not be told for a whole lease, somebody else may have the message: the
// handler is told to stop.
func (d *delivery) renew() {
	defer close(d.beats)
	tick := time.NewTicker(d.share.sub.Lease / 3)
	defer tick.Stop()
	last := d.share.Now()
	for {
		select {
		case <-d.held:
			return
		case <-tick.C:
		}
		switch now := d.share.Now(); {
		case d.msg.InProgress() == nil:
			last = now
		case now.Sub(last) > d.share.sub.Lease:
			d.drop(errLeaseLost)
		}
	}
}

// settle carries out the outcome, trying again until it succeeded, the lease is lost, or stopping takes too long. What could
// not be settled comes again.
func (d *delivery) settle(ctx context.Context, o broker.Outcome) {
	defer d.drop(nil)
	defer func() { close(d.held); <-d.beats }()
	if o.Action == broker.ActionRelease {
		d.release()
		return
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(settleGrace, cancel) })()
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := d.try(settling, o)
		if err == nil {
			return
		}
		if d.lost() || !wait(settling, pause) {
			d.share.Logger.WarnContext(ctx, "a delivery was not settled and comes again", "subscription", d.share.durable, "event", d.ID, "outcome", o.Action.String(), "error", err)
			return
		}
	}
}

// release gives the message back at once, unless somebody else may have it by now.
func (d *delivery) release() {
	if !d.lost() {
		_ = d.msg.Nak() // if lost on the way, it comes after the lease instead
	}
}

func (d *delivery) lost() bool { return errors.Is(context.Cause(d.ctx), errLeaseLost) }

// try does the first half of an outcome (store what follows from it), then the second (acknowledge). The first is safe to
// repeat.
func (d *delivery) try(ctx context.Context, o broker.Outcome) error {
	ctx, cancel := context.WithTimeout(ctx, settleTry)
	defer cancel()
	switch o.Action {
	case broker.ActionRetry:
		if err := d.copy(ctx, o.Pause); err != nil {
			return err
		}
	case broker.ActionDeadLetter:
		if err := d.deadLetter(ctx, o); err != nil {
			return err
		}
	}
	return d.ack(ctx)
}

// copy stores the next attempt, for this subscription only.
func (d *delivery) copy(ctx context.Context, after time.Duration) error {
	s := d.share
	m := d.Message
	m.NotBefore = s.Now().Add(after)
	next := strconv.Itoa(d.Attempt + 1)
	// Ids hold no blanks, so that this one cannot be anybody else's.
	out := encode(m, s.to(s.durable), s.durable+" "+m.ID+" "+next)
	out.Header[headerAttempt] = []string{next}
	if !d.Published.IsZero() {
		set(out.Header, headerPublished, stamp(d.Published))
	}
	if err := s.store(ctx, []*nats.Msg{out}); err != nil {
		return err
	}
	s.onStep(stepCopied)
	return nil
}

// ack acknowledges and waits for the server's word. A consumer that somebody deleted has nothing to acknowledge.
func (d *delivery) ack(ctx context.Context) error {
	err := d.msg.DoubleAck(ctx)
	if errors.Is(err, nats.ErrNoResponders) {
		if _, gone := d.share.js.Consumer(ctx, d.share.home(d.share.durable), d.share.durable); errors.Is(gone, jetstream.ErrConsumerNotFound) || errors.Is(gone, jetstream.ErrStreamNotFound) {
			return nil
		}
	}
	return err
}
