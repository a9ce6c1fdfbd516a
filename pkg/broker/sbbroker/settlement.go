package sbbroker

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

const (
	linkTry  = 2 * time.Second // to settle on the link a message came by
	tokenTry = 5 * time.Second // to renew or settle by lock token
)

// settling is a message whose lock is ours. Settling on the link it came by is one message to the broker; when that link or its
// connection was lost, the client library holds on to it for half a minute and then fails, so that the first try is bounded and
// later ones go by lock token over whatever connection there is then.
type settling struct {
	receiver func() (*azservicebus.Receiver, error)
	raw      *azservicebus.ReceivedMessage
	unlinked bool // a try on the link has failed
	count    *counters
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
	r, err := s.receiver()
	if err != nil {
		return err
	}
	if !s.unlinked {
		once, cancel := context.WithTimeout(ctx, linkTry)
		err := v.do(once, r, s.raw)
		cancel()
		if err == nil {
			v.count(s.count).Add(1)
			return nil
		}
		if isLockLost(err) || ctx.Err() != nil {
			return err
		}
		s.unlinked = true
	}
	// Renewing reconnects at once if need be, settling would wait four seconds first.
	if err := s.renew(ctx); err != nil {
		return err
	}
	once, cancel := context.WithTimeout(ctx, tokenTry)
	defer cancel()
	if err := v.do(once, r, s.bare()); err != nil {
		return err
	}
	v.count(s.count).Add(1)
	return nil
}

// renew starts the lock again. The client library writes to the message it is given, hence a fresh one.
func (s *settling) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tokenTry)
	defer cancel()
	r, err := s.receiver()
	if err != nil {
		return err
	}
	s.count.renewed.Add(1)
	return r.RenewMessageLock(ctx, s.bare(), nil)
}

func (s *settling) bare() *azservicebus.ReceivedMessage {
	return &azservicebus.ReceivedMessage{LockToken: s.raw.LockToken}
}
