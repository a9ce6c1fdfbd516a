package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker/sbbroker/simulator"
)

func wantCondition(t *testing.T, want string, err error) {
	t.Helper()
	var a *amqp.Error
	if !errors.As(err, &a) || string(a.Condition) != want {
		t.Errorf("got error %v, want condition %s", err, want)
	}
}

func (b *fixture) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func TestThrottledSendIsRetried(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	b.must(b.server.ThrottleSends("plain", 2))
	b.send(s, "a")
	b.want("plain", simulator.Counts{Active: 1})
	b.must(b.server.ThrottleSends("plain", 10))
	wantCondition(t, "com.microsoft:server-busy", s.SendMessage(b.ctx, message("b"), nil))
	b.want("plain", simulator.Counts{Active: 1})
}

func TestFullQueue(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	b.must(b.server.SetFull("plain", true))
	wantCondition(t, "amqp:resource-limit-exceeded", s.SendMessage(b.ctx, message("a"), nil))
	b.must(b.server.SetFull("plain", false))
	b.send(s, "a")
}

func TestQuotaIsReal(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("small")
	big := func() *azservicebus.Message { return &azservicebus.Message{Body: make([]byte, 250<<10)} }
	for range 4 {
		b.must(s.SendMessage(b.ctx, big(), nil))
	}
	wantCondition(t, "amqp:resource-limit-exceeded", s.SendMessage(b.ctx, big(), nil))
	r := b.receiver("small", nil)
	b.must(r.DeadLetterMessage(b.ctx, b.one(r), nil))
	wantCondition(t, "amqp:resource-limit-exceeded", s.SendMessage(b.ctx, big(), nil)) // dead letters count
	b.complete(r, b.one(r))
	b.must(s.SendMessage(b.ctx, big(), nil))
}

func TestAmbiguousSend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		queue  string
		stored bool
		want   int
	}{{"plain", true, 2}, {"plain", false, 1}, {"unique", true, 1}, {"unique", false, 1}} {
		b := newFixture(t)
		s := b.sender(c.queue)
		b.send(s, "warm-up")
		b.must(b.server.CutSends(c.queue, 1, c.stored))
		b.send(s, "a") // one call, no error
		b.want(c.queue, simulator.Counts{Active: 1 + c.want})
	}
}

func TestDetachedLinksRecover(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	r := b.receiver("plain", nil)
	b.send(s, "a", "b")
	m := b.one(r)
	if n := b.server.DetachLinks("plain"); n != 2 {
		t.Errorf("detached %d links", n)
	}
	b.complete(r, m) // falls back to $management by itself
	b.send(s, "c")
	b.complete(r, b.many(r, 2)...)
	b.want("plain", simulator.Counts{})
	if n := b.server.DetachLinks(""); n == 0 {
		t.Error("no links left to detach")
	}
	b.send(s, "d")
}

func TestDroppedConnectionsRecover(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	r := b.receiver("plain", nil)
	b.send(s, "a")
	b.complete(r, b.one(r))
	b.server.RefuseConnections(1)
	if n := b.server.DropConnections(); n != 1 {
		t.Errorf("dropped %d connections", n)
	}
	b.send(s, "b")
	b.complete(r, b.one(r))
}

func TestLostSettlement(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a")
	r := b.receiver("plain", nil)
	m := b.one(r)
	b.must(b.server.LoseSettlements("plain", 1))
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan error, 1)
	go func() { done <- r.CompleteMessage(ctx, m, nil) }()
	b.eventually("plain", simulator.Counts{})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("complete ended with %v, its answer was lost", err)
	}
	wantCode(
		t,
		azservicebus.CodeLockLost,
		r.CompleteMessage(b.ctx, &azservicebus.ReceivedMessage{LockToken: m.LockToken}, nil),
	)
}

// eventually waits until the counts are right.
func (b *fixture) eventually(entity string, want simulator.Counts) {
	b.Helper()
	awaittest.State(b, fmt.Sprintf("%s holds %+v", entity, want), func(context.Context) (simulator.Counts, bool) {
		got, err := b.server.Counts(entity)
		b.must(err)
		return got, got == want
	})
}

func TestFaultsNameAnEntity(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	_, counts := b.server.Counts("nowhere")
	for _, err := range []error{
		counts, b.server.ThrottleSends("nowhere", 1), b.server.CutSends("events/Subscriptions/left", 1, true),
		b.server.SetFull("nowhere", true), b.server.LoseSettlements("events", 1),
	} {
		if !errors.Is(err, simulator.ErrNoEntity) {
			t.Errorf("got %v", err)
		}
	}
}

func TestHeldCreditBlocksTheSender(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.must(b.server.HoldCredit("plain", true))
	s := b.sender("plain")
	_, err := s.NewMessageBatch(b.ctx, nil) // attaches
	b.must(err)
	short, cancel := context.WithTimeout(b.ctx, 50*time.Millisecond)
	defer cancel()
	if err := s.SendMessage(short, message("a"), nil); err == nil {
		t.Error("sent without credit")
	}
	b.want("plain", simulator.Counts{})
	b.must(b.server.HoldCredit("plain", false))
	b.send(s, "b")
	b.want("plain", simulator.Counts{Active: 1})
}
