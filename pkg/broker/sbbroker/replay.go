package sbbroker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/fault"
)

const lockWait = 5 * time.Second // for a dead letter that must be there, unless somebody else has it

// Replay locks the dead letter, sends the copy and completes it. A crash in between leaves the dead letter, and the same call
// again finds its copy in the duplicate window.
func (b *Broker) Replay(ctx context.Context, subscription, id, newID string) error {
	if !broker.ValidID(newID) || newID == id {
		return fault.New(fault.RequestInvalid, "a replay needs a new and valid message id")
	}
	return b.take(ctx, subscription, id, func(ctx context.Context, src source, raw *azservicebus.ReceivedMessage) error {
		m := b.Topology.decode(src, raw)
		m.ID, m.NotBefore = newID, time.Time{}
		out := b.encode(m)
		address(out, src, newID, 1)
		err := b.store(ctx, src.copies, []*azservicebus.Message{out})
		if err == nil {
			b.onStep(stepReplayed)
		}
		return err
	})
}

// Delete completes the dead letter.
func (b *Broker) Delete(ctx context.Context, subscription, id string) error {
	return b.take(ctx, subscription, id, func(context.Context, source, *azservicebus.ReceivedMessage) error { return nil })
}

// take locks a dead letter, calls use and completes it. A dead letter cannot be asked for: those before it are locked on the
// way and given back afterwards. What is wrong with one source's queue does not hide what another holds.
func (b *Broker) take(ctx context.Context, subscription, id string, use use) error {
	ctx, cancel := b.limit(ctx)
	defer cancel()
	others := func(s source) bool { return s.name != subscription }
	asked := slices.DeleteFunc(b.known(), others)
	var missed []error
	for i, src := range asked {
		found, err := b.takeFrom(ctx, src, len(asked)-i, id, use)
		if err != nil {
			err = about(src.String(), answer(ctx, err))
		}
		if found {
			return err
		}
		missed = append(missed, err)
	}
	if err := errors.Join(missed...); err != nil {
		return err
	}
	return fault.New(fault.RequestNotFound, "there is no such dead letter")
}

// use is what happens to a dead letter before it is completed.
type use func(context.Context, source, *azservicebus.ReceivedMessage) error

// takeFrom looks for the message among the dead letters of one entity, no longer than is fair when n have yet to be asked, and
// takes it when it is there.
func (b *Broker) takeFrom(ctx context.Context, src source, n int, id string, use use) (found bool, err error) {
	s, err := b.shelf(src)
	if err != nil {
		return false, err
	}
	defer s.close(ctx)
	search, cancel := part(ctx, n)
	defer cancel()
	at, place, err := s.find(search, id)
	if err != nil || place == 0 {
		return false, err
	}
	wanted, others, err := s.lock(ctx, at, place)
	defer s.giveBack(ctx, others)
	if err != nil {
		return true, err
	}
	if err := use(ctx, src, wanted.raw); err != nil {
		return true, err
	}
	return true, wanted.try(ctx, complete)
}

// part is one of n parts of the time that is left.
func part(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	end, limited := ctx.Deadline()
	if !limited {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/time.Duration(n))
}

// find returns the sequence number and the place, from 1, of a message among the dead letters; place 0 means that it is not
// there.
func (s *shelf) find(ctx context.Context, id string) (at int64, place int, err error) {
	for {
		if err := s.fill(ctx); err != nil {
			return 0, 0, err
		}
		if s.end {
			return 0, 0, nil
		}
		for _, raw := range s.page {
			if place++; s.Topology.decode(s.source, raw).ID == id {
				return *raw.SequenceNumber, place, nil
			}
		}
		s.page = nil
	}
}

// lock receives dead letters until the wanted one comes. It stops when none comes any more, or when one comes a second time:
// its lock has run out, and the rest would come round for ever.
func (s *shelf) lock(ctx context.Context, at int64, place int) (wanted *settling, others []*settling, err error) {
	seen := map[int64]bool{}
	for len(seen) < place {
		messages, err := s.receive(ctx, place-len(seen))
		if err != nil {
			return nil, others, err
		}
		again := len(messages) == 0
		for _, raw := range messages {
			l := &settling{receivers: s.settlers, raw: raw, link: s.link, unlink: s.unlink, count: &s.count}
			if *raw.SequenceNumber == at {
				wanted = l
				continue
			}
			others = append(others, l)
			again = again || seen[*raw.SequenceNumber]
			seen[*raw.SequenceNumber] = true
		}
		if wanted != nil {
			return wanted, others, nil
		}
		if again {
			break
		}
	}
	return nil, others, fault.New(fault.BrokerBusy, "the message is locked by somebody else at the moment")
}

// receive waits a little for up to n dead letters; none is no error.
func (s *shelf) receive(ctx context.Context, n int) ([]*azservicebus.ReceivedMessage, error) {
	short, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	messages, err := s.Broker.receive(short, s.r, n)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, nil
	}
	return messages, err
}

// giveBack unlocks dead letters that were only in the way; what fails comes back when its lock runs out.
func (s *shelf) giveBack(ctx context.Context, letters []*settling) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	var running sync.WaitGroup
	for _, l := range letters {
		running.Go(func() { _ = l.try(ctx, abandon(nil)) })
	}
	running.Wait()
}
