package sbbroker

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

const (
	peekPage    = 250              // messages; the service gives no more
	peekTimeout = 15 * time.Second // for a page
)

// Peek peeks into the dead-letter sub-queues of all subscriptions side by side. an inbound queue that does not exist holds
// nothing: that is said in the log, and the others are shown.
func (b *Broker) Peek(ctx context.Context, visit func(broker.DeadLettered) bool) error {
	var open []*shelf
	defer func() {
		for _, s := range open {
			s.close(ctx)
		}
	}()
	for _, src := range b.known() {
		s, err := b.shelf(src)
		if err != nil {
			return answer(ctx, err)
		}
		open = append(open, s)
	}
	for {
		oldest, err := first(ctx, open)
		if err != nil {
			return answer(ctx, err)
		}
		if oldest == nil || !visit(oldest.first()) {
			return nil
		}
		oldest.page = oldest.page[1:]
	}
}

// first returns the shelf with the message that was parked first, nil when all are at their end.
func first(ctx context.Context, shelves []*shelf) (*shelf, error) {
	var oldest *shelf
	for _, s := range shelves {
		err := s.fill(ctx)
		if isMissing(err) && s.queue {
			s.Logger.WarnContext(ctx, "an inbound queue does not exist, its dead letters are not shown", "subscription", s.String(), "error", err)
			s.end = true
			continue
		}
		if err != nil {
			return nil, about(s.String(), err)
		}
		if len(s.page) > 0 && (oldest == nil || s.first().At.Before(oldest.first().At)) {
			oldest = s
		}
	}
	return oldest, nil
}

// shelf is a walk through one dead-letter sub-queue that leaves everything where it is.
type shelf struct {
	*Broker
	source
	r        *azservicebus.Receiver
	settlers *pool[*azservicebus.Receiver]
	link     context.Context
	unlink   context.CancelFunc
	next     int64 // sequence number
	page     []*azservicebus.ReceivedMessage
	end      bool
}

func (b *Broker) shelf(src source) (*shelf, error) {
	open := func() (*azservicebus.Receiver, error) { return src.receiver(b.client, azservicebus.SubQueueDeadLetter) }
	r, err := open()
	if err != nil {
		return nil, err
	}
	s := &shelf{Broker: b, source: src, r: r, settlers: newPool(atOnce, open), next: 1}
	s.link, s.unlink = context.WithCancel(context.Background())
	return s, nil
}

func (s *shelf) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	s.unlink()
	_ = s.r.Close(ctx) // nothing is open but a link
	s.settlers.close(ctx)
}

// fill makes sure that the page holds something, unless the end was reached. Pages may be short; only an empty one is the end.
func (s *shelf) fill(ctx context.Context) error {
	if len(s.page) > 0 || s.end {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, peekTimeout)
	defer cancel()
	var page []*azservicebus.ReceivedMessage
	err := persist(ctx, func(ctx context.Context) (err error) {
		page, err = s.peek(ctx, s.r, s.next, peekPage)
		return err
	})
	if err != nil {
		return err
	}
	s.page, s.end = page, len(page) == 0
	if !s.end {
		s.next = *page[len(page)-1].SequenceNumber + 1
	}
	return nil
}

func (s *shelf) first() broker.DeadLettered {
	raw := s.page[0]
	p := broker.DeadLettered{
		Message: s.Topology.decode(s.source, raw), Subscription: s.name, Attempts: attempt(source{}, raw), At: parseStamp(prop(raw, propDeadAt)),
		Reason: fault.Code(deref(raw.DeadLetterReason)), Detail: deref(raw.DeadLetterErrorDescription),
	}
	p.NotBefore = time.Time{}
	if p.At.IsZero() {
		p.Reason, p.Detail = foreign(string(p.Reason), p.Detail)
		if raw.EnqueuedTime != nil {
			p.At = raw.EnqueuedTime.UTC()
		}
	}
	return p
}

// foreign translates the reason of a message that the broker or a person parked, not we ("Overview of Service Bus dead-letter
// queues").
func foreign(reason, detail string) (code fault.Code, text string) {
	if reason == "MaxDeliveryCountExceeded" {
		return fault.MessageExhausted, reason + ": " + detail
	}
	return fault.CodeUnknown, reason + ": " + detail
}

// peek reads messages without locking them.
func (b *Broker) peek(ctx context.Context, r *azservicebus.Receiver, from int64, n int) (page []*azservicebus.ReceivedMessage, err error) {
	defer b.survivePoison(&err)
	b.count.peeked.Add(1)
	return r.PeekMessages(ctx, n, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &from})
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
