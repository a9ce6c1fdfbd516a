package sbbroker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/fault"
)

const (
	peekPage    = 250              // messages; the service gives no more
	peekTimeout = 15 * time.Second // for a page
	lockWait    = 5 * time.Second  // for a dead letter that must be there, unless another receiver has it
)

// Peek goes through the dead-letter sub-queues of all subscriptions side by side. An inbound queue that does not exist
// holds nothing: that is said in the log, and the others are shown.
func (b *Broker) Peek(ctx context.Context, visit func(broker.DeadLettered) bool) error {
	var open []*deadLetters
	defer func() {
		for _, q := range open {
			closing(ctx, q.link)
		}
	}()
	for _, src := range b.known() {
		q, err := b.deadLetters(src)
		if err != nil {
			return answer(ctx, err)
		}
		open = append(open, q)
	}
	for {
		q, oldest, err := first(ctx, open)
		if err != nil {
			return answer(ctx, err)
		}
		if q == nil || !visit(oldest) {
			return nil
		}
		q.page = q.page[1:]
	}
}

// first returns the oldest dead letter and the queue it is in, nil when all are at their end.
func first(ctx context.Context, queues []*deadLetters) (in *deadLetters, oldest broker.DeadLettered, err error) {
	for _, q := range queues {
		err := q.fill(ctx)
		if isMissing(err) && q.queue {
			q.Logger.WarnContext(
				ctx,
				"an inbound queue does not exist, its dead letters are not shown",
				"subscription",
				q.String(),
				"error",
				err,
			)
			q.end = true
			continue
		}
		if err != nil {
			return nil, oldest, adapter.About(q.String(), err)
		}
		if len(q.page) == 0 {
			continue
		}
		if d := q.read(q.page[0]); in == nil || d.At.Before(oldest.At) {
			in = q
			oldest = d
		}
	}
	return in, oldest, nil
}

// deadLetters is a walk through one dead-letter sub-queue that leaves everything where it is.
type deadLetters struct {
	*Broker
	source
	link *azservicebus.Receiver
	next int64 // sequence number
	page []*azservicebus.ReceivedMessage
	end  bool
}

func (b *Broker) deadLetters(src source) (*deadLetters, error) {
	link, err := src.receiver(b.client, azservicebus.SubQueueDeadLetter)
	return &deadLetters{Broker: b, source: src, link: link, next: 1}, err
}

// fill makes sure that the page holds something, unless the end was reached. Pages may be short; only an empty one is
// the end.
func (q *deadLetters) fill(ctx context.Context) error {
	if len(q.page) > 0 || q.end {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, peekTimeout)
	defer cancel()
	err := persist(ctx, func(ctx context.Context) (err error) {
		q.page, err = peek(ctx, q.link, q.next, peekPage)
		return err
	})
	if err != nil {
		return err
	}
	if q.end = len(q.page) == 0; !q.end {
		q.next = *q.page[len(q.page)-1].SequenceNumber + 1
	}
	return nil
}

// read returns a dead letter. One without our time was dead-lettered by the broker or a person ("Overview of Service
// Bus dead-letter queues"), and its reason is translated.
func (q *deadLetters) read(raw *azservicebus.ReceivedMessage) broker.DeadLettered {
	m := q.Topology.decode(q.source, raw)
	d := broker.DeadLettered{
		Message: m.Message, Subscription: q.name, Attempts: m.Attempt, At: adapter.ParseStamp(prop(raw, propDeadAt)),
		Reason: fault.Code(deref(raw.DeadLetterReason)), Detail: deref(raw.DeadLetterErrorDescription),
	}
	d.NotBefore = time.Time{}
	if d.At.IsZero() {
		reason := d.Reason
		d.At = enqueued(raw)
		d.Reason = fault.CodeUnknown
		d.Detail = string(reason) + ": " + d.Detail
		if reason == "MaxDeliveryCountExceeded" {
			d.Reason = fault.MessageExhausted
		}
	}
	return d
}

// Replay sends the copy and then completes the dead letter. A crash in between leaves the dead letter, and the same
// call again finds its copy in the duplicate window.
func (b *Broker) Replay(ctx context.Context, subscription, id, newID string) error {
	if err := adapter.NewID(id, newID); err != nil {
		return err
	}
	return b.remove(
		ctx,
		subscription,
		id,
		func(ctx context.Context, q *deadLetters, raw *azservicebus.ReceivedMessage) error {
			m := q.read(raw).Message
			m.ID = newID
			err := b.store(ctx, q.copies, []*azservicebus.Message{b.addressed(broker.Delivery{Message: m}, q.source)})
			if err == nil {
				b.onStep(stepReplayed)
			}
			return err
		},
	)
}

// Delete completes the dead letter.
func (b *Broker) Delete(ctx context.Context, subscription, id string) error {
	return b.remove(
		ctx,
		subscription,
		id,
		func(context.Context, *deadLetters, *azservicebus.ReceivedMessage) error { return nil },
	)
}

// use is what happens to a dead letter before it is completed.
type use func(context.Context, *deadLetters, *azservicebus.ReceivedMessage) error

// remove looks for a dead letter, uses and completes it. What is wrong with one source's queue does not hide what
// another holds.
func (b *Broker) remove(ctx context.Context, subscription, id string, use use) error {
	ctx, cancel := adapter.Limit(ctx, b.PublishTimeout)
	defer cancel()
	others := func(s source) bool { return s.name != subscription }
	asked := slices.DeleteFunc(b.known(), others)
	var missed []error
	for i, src := range asked {
		found, err := b.removeFrom(ctx, src, len(asked)-i, id, use)
		if err != nil {
			err = adapter.About(src.String(), answer(ctx, err))
		}
		if found {
			return err
		}
		missed = append(missed, err)
	}
	if err := errors.Join(missed...); err != nil {
		return err
	}
	return adapter.NoDeadLetter()
}

// removeFrom looks for the message among the dead letters of one entity, no longer than is fair when n have yet to be
// asked, and removes it when it is there. A dead letter cannot be asked for: those before it are locked on the way and
// given back afterwards.
func (b *Broker) removeFrom(ctx context.Context, src source, n int, id string, use use) (found bool, err error) {
	q, err := b.deadLetters(src)
	if err != nil {
		return false, err
	}
	defer closing(ctx, q.link)
	search, cancel := part(ctx, n)
	defer cancel()
	at, place, err := q.find(search, id)
	if err != nil || place == 0 {
		return false, err
	}
	locks := b.locks(src, azservicebus.SubQueueDeadLetter)
	defer locks.close(context.WithoutCancel(ctx))
	wanted, others, err := q.lock(ctx, &locks, at, place)
	defer giveBack(ctx, others)
	if err != nil {
		return true, err
	}
	if err := use(ctx, q, wanted.raw); err != nil {
		return true, err
	}
	return true, wanted.settle(ctx, complete)
}

// part is one of n parts of the time that is left.
func part(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	end, limited := ctx.Deadline()
	if !limited {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/time.Duration(n))
}

// find returns the sequence number and the place, from 1, of a message among the dead letters; place 0 means that it is
// not there.
func (q *deadLetters) find(ctx context.Context, id string) (at int64, place int, err error) {
	for {
		if err := q.fill(ctx); err != nil || q.end {
			return 0, 0, err
		}
		for _, raw := range q.page {
			if place++; q.Topology.decode(q.source, raw).ID == id {
				return *raw.SequenceNumber, place, nil
			}
		}
		q.page = nil
	}
}

// lock receives dead letters until the wanted one comes. It stops when none comes any more, or when one comes a second
// time: its lock has run out, and the rest would come round for ever.
func (q *deadLetters) lock(
	ctx context.Context,
	locks *locks,
	at int64,
	place int,
) (wanted lock, others []lock, err error) {
	seen := map[int64]bool{}
	for again := false; !again && len(seen) < place; {
		messages, err := q.receive(ctx, place-len(seen))
		if err != nil {
			return lock{}, others, err
		}
		again = len(messages) == 0
		for _, raw := range messages {
			l := locks.lock(raw)
			n := *raw.SequenceNumber
			if n == at {
				wanted = l
				continue
			}
			others = append(others, l)
			again = again || seen[n]
			seen[n] = true
		}
		if wanted.raw != nil {
			return wanted, others, nil
		}
	}
	return lock{}, others, fault.New(fault.BrokerBusy, "another receiver has locked the dead letter at the moment")
}

// receive waits a little for up to n dead letters; none is no error.
func (q *deadLetters) receive(ctx context.Context, n int) ([]*azservicebus.ReceivedMessage, error) {
	short, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	messages, err := receive(short, q.link, n)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, nil
	}
	return messages, err
}

// giveBack unlocks dead letters that were only in the way; what fails comes back when its lock runs out.
func giveBack(ctx context.Context, locks []lock) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	var running sync.WaitGroup
	for _, l := range locks {
		running.Go(func() { _ = l.settle(ctx, abandon) })
	}
	running.Wait()
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
