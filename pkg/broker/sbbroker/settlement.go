package sbbroker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

const (
	// linkTry bounds settling on the link a message came by. It is shorter than the pause of the client library, which then would
	// break the new connection for the sake of the old one.
	linkTry  = 2 * time.Second
	tokenTry = 5 * time.Second // to renew or settle by lock token
)

// settling is a message whose lock is ours. Settling on the link it came by is one message to the broker; when that link or its
// connection was lost, the client library holds on to it for half a minute and then fails, so that the first try is bounded and
// later ones go by lock token over whatever connection there is then. The receivers are those of its entity, but never the
// one that receives.
type settling struct {
	receivers *pool[*azservicebus.Receiver]
	raw       *azservicebus.ReceivedMessage
	link      context.Context    // ends when the link is known to be lost
	unlink    context.CancelFunc // says so to everything that came by it
	count     *counters
}

// verb is one way to settle.
type verb struct {
	do    func(context.Context, *azservicebus.Receiver, *azservicebus.ReceivedMessage) error
	count func(*counters) *atomic.Int64
}

var complete = verb{
	func(ctx context.Context, r *azservicebus.Receiver, m *azservicebus.ReceivedMessage) error {
		return r.CompleteMessage(ctx, m, nil)
	},
	func(c *counters) *atomic.Int64 { return &c.completed },
}

func abandon(change map[string]any) verb {
	return verb{
		func(ctx context.Context, r *azservicebus.Receiver, m *azservicebus.ReceivedMessage) error {
			return r.AbandonMessage(ctx, m, &azservicebus.AbandonMessageOptions{PropertiesToModify: change})
		},
		func(c *counters) *atomic.Int64 { return &c.abandoned },
	}
}

func deadLetter(o *azservicebus.DeadLetterOptions) verb {
	return verb{
		func(ctx context.Context, r *azservicebus.Receiver, m *azservicebus.ReceivedMessage) error {
			return r.DeadLetterMessage(ctx, m, o)
		},
		func(c *counters) *atomic.Int64 { return &c.deadLettered },
	}
}

// try settles once. A lost lock after a try that was not answered may mean that the try has succeeded; either way there is
// nothing left to do with this lock.
func (s *settling) try(ctx context.Context, v verb) error {
	err := s.receivers.use(ctx, func(r *azservicebus.Receiver) error {
		if s.link.Err() != nil {
			return s.byToken(ctx, r, v)
		}
		once, cancel := context.WithTimeout(ctx, linkTry)
		defer cancel()
		defer context.AfterFunc(s.link, cancel)()
		err := v.do(once, r, s.raw)
		if err == nil || isLockLost(err) || ctx.Err() != nil {
			return err
		}
		s.unlink()
		return s.byToken(ctx, r, v)
	})
	if err == nil {
		v.count(s.count).Add(1)
	}
	return err
}

// byToken settles over $management. Renewing reconnects at once if need be, settling would wait for seconds first.
func (s *settling) byToken(ctx context.Context, r *azservicebus.Receiver, v verb) error {
	ctx, cancel := context.WithTimeout(ctx, tokenTry)
	defer cancel()
	s.count.renewed.Add(1)
	if err := r.RenewMessageLock(ctx, s.bare(), nil); err != nil {
		return err
	}
	return v.do(ctx, r, s.bare())
}

// renew starts the lock again. The client library writes to the message it is given, hence a fresh one.
func (s *settling) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tokenTry)
	defer cancel()
	return s.receivers.use(ctx, func(r *azservicebus.Receiver) error {
		s.count.renewed.Add(1)
		return r.RenewMessageLock(ctx, s.bare(), nil)
	})
}

func (s *settling) bare() *azservicebus.ReceivedMessage {
	return &azservicebus.ReceivedMessage{LockToken: s.raw.LockToken}
}
