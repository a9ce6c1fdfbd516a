package simulator_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/slowness"
)

// TestChaos sends and consumes while connections drop, links detach, sends are
// throttled and cut and acknowledgements are lost. Nothing may be lost; the seed
// is in the output.
func TestChaos(t *testing.T) {
	t.Parallel()
	const total, senders, consumers = 2000, 2, 3
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	quiet := simulator.WithLogger(slog.New(slog.DiscardHandler)) // the refusals are the point
	b := working(t, newServer(t, simulator.Topology{Queues: []simulator.Queue{{
		Name:   "storm",
		Inbox:  simulator.Inbox{DuplicateWindow: 24 * time.Hour},
		Outbox: simulator.Outbox{MaxDeliveryCount: 1000},
	}}}, quiet), nil)
	ctx, stop := context.WithCancel(b.ctx)
	defer stop()
	var mu sync.Mutex
	handled := map[string]int{}
	note := func(id string) {
		mu.Lock()
		defer mu.Unlock()
		b.moved()
		if handled[id]++; len(handled) == total {
			stop()
		}
	}
	var wg sync.WaitGroup
	for i := range senders {
		s := (&fixture{T: t, client: newClient(t, b.server)}).sender("storm")
		wg.Go(func() {
			for n := i; n < total; n += senders {
				sendUntilStored(ctx, s, fmt.Sprint(n))
			}
		})
	}
	for range consumers {
		r := (&fixture{T: t, client: newClient(t, b.server)}).receiver("storm", nil)
		wg.Go(func() { consume(ctx, r, note) })
	}
	wg.Go(func() { b.storm(ctx, rand.New(rand.NewPCG(seed, 1))) })
	wg.Wait()
	again := 0
	for _, n := range handled {
		again += n - 1
	}
	t.Logf("%d handled, %d deliveries more than that", len(handled), again)
	if len(handled) != total {
		t.Errorf("%d of %d messages were handled", len(handled), total)
	}
	if c, err := b.server.Counts("storm"); err != nil || c.DeadLetter != 0 {
		t.Errorf("left over: %+v, %v", c, err)
	}
}

// sendUntilStored repeats a send under one message id; duplicate detection makes
// that safe.
func sendUntilStored(ctx context.Context, s *azservicebus.Sender, id string) {
	for ctx.Err() == nil {
		attempt, cancel := context.WithTimeout(ctx, slowness.Stretch(time.Second))
		err := s.SendMessage(attempt, message(id), nil)
		cancel()
		if err == nil {
			return
		}
	}
}

// consume handles messages and settles them; a settlement that fails is tried
// once more by lock token, and otherwise the message comes again.
func consume(ctx context.Context, r *azservicebus.Receiver, handled func(id string)) {
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, slowness.Stretch(time.Second))
		got, _ := r.ReceiveMessages(wait, 10, nil)
		cancel()
		for _, m := range got {
			handled(m.MessageID)
			first, cancel := context.WithTimeout(context.WithoutCancel(ctx), slowness.Stretch(100*time.Millisecond))
			err := r.CompleteMessage(first, m, nil)
			cancel()
			if err != nil {
				second, cancel := context.WithTimeout(
					context.WithoutCancel(ctx),
					slowness.Stretch(100*time.Millisecond),
				)
				_ = r.CompleteMessage(second, &azservicebus.ReceivedMessage{LockToken: m.LockToken}, nil)
				cancel()
			}
		}
	}
}

// storm does damage, a little at a time, for a while. Then it only lets time pass,
// so that what got stuck comes back, until ctx ends.
func (b *fixture) storm(ctx context.Context, random *rand.Rand) {
	tick := time.NewTicker(slowness.Stretch(20 * time.Millisecond))
	defer tick.Stop()
	for n := range 1 << 20 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch {
		case n < 60:
			b.damage(random.IntN(6))
		case n%10 == 0:
			b.server.Advance(61 * time.Second)
		}
	}
}

func (b *fixture) damage(kind int) {
	var err error
	switch kind {
	case 0:
		b.server.DropConnections()
	case 1:
		b.server.DetachLinks("storm")
	case 2:
		err = b.server.ThrottleSends("storm", 2)
	case 3:
		err = b.server.CutSends("storm", 1, true)
	case 4:
		err = b.server.LoseSettlements("storm", 1)
	case 5:
		b.server.RefuseConnections(1)
	}
	if err != nil {
		b.Error(err)
	}
}
