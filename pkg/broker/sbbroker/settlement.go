package sbbroker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/fault"
)

const (
	// linkTry bounds settling on the link a message came by. It is shorter than the pause of the client library, which
	// then would break the new connection for the sake of the old one.
	linkTry    = 2 * time.Second
	tokenTry   = 5 * time.Second // to renew or settle by lock token
	detailMost = 1024            // bytes of a dead letter's description; the service takes 4,096
)

// verb is one way to settle.
type verb func(context.Context, *azservicebus.Receiver, *azservicebus.ReceivedMessage) error

func complete(ctx context.Context, r *azservicebus.Receiver, m *azservicebus.ReceivedMessage) error {
	return r.CompleteMessage(ctx, m, nil)
}

func abandon(ctx context.Context, r *azservicebus.Receiver, m *azservicebus.ReceivedMessage) error {
	return r.AbandonMessage(ctx, m, nil)
}

// settle carries out the outcome of a delivery.
func (r *receiver) settle(ctx context.Context, d broker.Delivery, l lock, o broker.Outcome) error {
	switch o.Action {
	case broker.ActionRelease:
		return l.settle(ctx, abandon)
	case broker.ActionDeadLetter:
		return l.settle(ctx, r.deadLetter(d, o))
	case broker.ActionRetry:
		if err := r.copy(ctx, d, o.Pause); err != nil {
			return err
		}
		r.onStep(stepCopied)
	}
	return l.settle(ctx, complete)
}

// copy stores the next attempt, for this subscription only; the broker keeps it until its time. It is safe to repeat.
func (r *receiver) copy(ctx context.Context, d broker.Delivery, pause time.Duration) error {
	d.NotBefore = r.Now().Add(pause)
	d.Attempt++
	ctx, cancel := context.WithTimeout(ctx, r.PublishTimeout)
	defer cancel()
	return r.store(ctx, r.copies, []*azservicebus.Message{r.addressed(d, r.source)})
}

// deadLetter is the native dead-lettering, one call that either happened or did not.
func (r *receiver) deadLetter(d broker.Delivery, o broker.Outcome) verb {
	reason := string(o.Reason)
	detail := strings.ToValidUTF8(o.Detail[:min(len(o.Detail), detailMost)], "") // a cut may go through a character
	notes := map[string]any{propDeadAt: adapter.Stamp(r.Now())}
	if r.foreign {
		notes[prefixCE+broker.AttrID] = d.Headers[broker.AttrID]
	}
	options := &azservicebus.DeadLetterOptions{Reason: &reason, ErrorDescription: &detail, PropertiesToModify: notes}
	return func(ctx context.Context, r *azservicebus.Receiver, m *azservicebus.ReceivedMessage) error {
		return r.DeadLetterMessage(ctx, m, options)
	}
}

// locks are those of messages that came by one link. Settling on that link is one message to the broker; when it or its
// connection was lost, the client library holds on to it for half a minute and then fails, so that the first try is
// bounded and later ones go by lock token over whatever connection there is then. The receivers are those of its
// entity, but never the one that receives.
type locks struct {
	receivers *pool[*azservicebus.Receiver]
	alive     context.Context    // ends when the link is known to be lost
	lost      context.CancelFunc // says so to everything that came by it
}

func (b *Broker) locks(src source, sub azservicebus.SubQueue) locks {
	l := locks{
		receivers: newPool(atOnce, func() (*azservicebus.Receiver, error) { return src.receiver(b.client, sub) }),
	}
	l.alive, l.lost = context.WithCancel(context.Background())
	return l
}

// cut lets every delivery know that it can be settled by lock token only.
func (l *locks) cut() {
	l.lost()
	l.alive, l.lost = context.WithCancel(context.Background())
}

func (l *locks) close(ctx context.Context) {
	l.lost()
	l.receivers.close(ctx)
}

func (l *locks) lock(raw *azservicebus.ReceivedMessage) lock {
	if l.alive.Err() != nil {
		l.cut()
	}
	return lock{*l, raw}
}

// lock is that of one message.
type lock struct {
	locks
	raw *azservicebus.ReceivedMessage
}

// settle tries once. A lost lock after a try that was not answered may mean that the try has succeeded; either way
// there is nothing left to do with this lock.
func (l lock) settle(ctx context.Context, do verb) error {
	err := l.receivers.use(ctx, func(r *azservicebus.Receiver) error {
		if l.alive.Err() != nil {
			return l.byToken(ctx, r, do)
		}
		once, cancel := context.WithTimeout(ctx, linkTry)
		defer cancel()
		defer context.AfterFunc(l.alive, cancel)()
		err := do(once, r, l.raw)
		if err == nil || isLockLost(err) || ctx.Err() != nil {
			return err
		}
		l.lost()
		return l.byToken(ctx, r, do)
	})
	return asLost(err)
}

// byToken settles over $management. Renewing reconnects at once if need be, settling would wait for seconds first.
func (l lock) byToken(ctx context.Context, r *azservicebus.Receiver, do verb) error {
	ctx, cancel := context.WithTimeout(ctx, tokenTry)
	defer cancel()
	if err := r.RenewMessageLock(ctx, l.bare(), nil); err != nil {
		return err
	}
	return do(ctx, r, l.bare())
}

// renew starts the lock again. The client library writes to the message it is given, hence a fresh one.
func (l lock) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tokenTry)
	defer cancel()
	return asLost(
		l.receivers.use(ctx, func(r *azservicebus.Receiver) error { return r.RenewMessageLock(ctx, l.bare(), nil) }),
	)
}

func (l lock) bare() *azservicebus.ReceivedMessage {
	return &azservicebus.ReceivedMessage{LockToken: l.raw.LockToken}
}

func asLost(err error) error {
	if isLockLost(err) {
		return errors.Join(adapter.ErrLost, err)
	}
	return err
}

var errPoison = errors.New("the client library cannot read a message")

// survivePoison makes an error of a panic of the client library: it takes some properties for text that a sender may
// have set to something else.
func survivePoison(err *error) {
	if p := recover(); p != nil {
		*err = fault.Wrap(fmt.Errorf("%w: %v", errPoison, p), fault.MessageMalformed, "a message cannot be read")
	}
}

// receive waits for up to n messages.
func receive(
	ctx context.Context,
	r *azservicebus.Receiver,
	n int,
) (messages []*azservicebus.ReceivedMessage, err error) {
	defer survivePoison(&err)
	return r.ReceiveMessages(ctx, min(n, receiveMost), nil)
}

// peek reads messages without locking them.
func peek(
	ctx context.Context,
	r *azservicebus.Receiver,
	from int64,
	n int,
) (page []*azservicebus.ReceivedMessage, err error) {
	defer survivePoison(&err)
	return r.PeekMessages(ctx, n, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &from})
}
