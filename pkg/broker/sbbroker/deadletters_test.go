package sbbroker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/fault"
)

// TestReplayAfterACrash: the copy was sent, and the process died before it removed the dead letter. The same call again
// must neither lose the message nor bring it twice.
func TestReplayAfterACrash(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.kill(b.broker(Options{}), "a")
	dying := b.broker(Options{onStep: func(s step) {
		if s == stepReplayed {
			runtime.Goexit()
		}
	}})
	died := make(chan struct{})
	go func() {
		defer close(died)
		_ = dying.Replay(context.WithoutCancel(t.Context()), "importer", "a", "a-r1")
		t.Error("it did not die")
	}()
	next(t, died)
	b.want(importerEntity, simulator.Counts{Active: 1, DeadLetter: 1})
	br := b.broker(Options{})
	got, stop := b.consume(br, importer, done)
	if d := next(t, got); d.ID != "a-r1" || d.Attempt != 1 {
		t.Errorf("%+v", d)
	}
	if err := br.Replay(t.Context(), "importer", "a", "a-r1"); fault.CodeOf(err) != fault.BrokerBusy {
		t.Errorf("while the dead process has the lock: %v", err)
	}
	b.Advance(importer.Lease + time.Second)
	b.must(br.Replay(t.Context(), "importer", "a", "a-r1"))
	if err := br.Replay(t.Context(), "importer", "a", "a-r1"); fault.CodeOf(err) != fault.RequestNotFound {
		t.Errorf("once more: %v", err)
	}
	b.publish(br, "last")
	if d := next(t, got); d.ID != "last" {
		t.Errorf("%s came twice", d.ID)
	}
	stop()
	b.want(importerEntity, simulator.Counts{})
}

// TestReplayFromTheMiddle: dead letters on the way are only locked for a moment, and stay in order.
func TestReplayFromTheMiddle(t *testing.T) {
	t.Parallel()
	const n = 300 // more than a page
	b := newFixture(t)
	br := b.broker(Options{})
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprintf("m%03d", i))
	}
	b.kill(br, ids...)
	for _, id := range []string{"m280", "m007", "m299"} {
		b.must(br.Replay(t.Context(), "importer", id, id+"-r1"))
	}
	b.want(importerEntity, simulator.Counts{Active: 3, DeadLetter: n - 3})
	var left []string
	b.must(br.Peek(t.Context(), func(p broker.DeadLettered) bool { left = append(left, p.ID); return true }))
	want := append(append(append([]string{}, ids[:7]...), ids[8:280]...), ids[281:299]...)
	if strings.Join(left, " ") != strings.Join(want, " ") {
		t.Errorf("left in this order: %v", left)
	}
}

// TestReplaySurvives: connections that end in the middle of it.
func TestReplaySurvives(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.kill(b.broker(Options{}), "a")
	br := b.broker(Options{onStep: func(s step) {
		if s == stepReplayed {
			b.DropConnections()
		}
	}})
	b.must(br.Replay(t.Context(), "importer", "a", "a-r1"))
	b.want(importerEntity, simulator.Counts{Active: 1})
}

// TestPeekMerges: dead letters of all subscriptions, oldest first.
func TestPeekMerges(t *testing.T) {
	t.Parallel()
	other := broker.Subscription{Name: "audit", Type: importer.Type, Lease: time.Minute}
	b := newFixture(t, other)
	now := time.Now()
	br := b.broker(Options{Now: func() time.Time { return now }})
	for i, sub := range []broker.Subscription{importer, other, other, importer} {
		now = now.Add(time.Second)
		b.publish(br, fmt.Sprint("m", i))
		rest := other
		if sub == other {
			rest = importer
		}
		got, stop := b.consume(br, sub, dead)
		next(t, got)
		stop()
		got, stop = b.consume(br, rest, done)
		next(t, got)
		stop()
	}
	var order []string
	b.must(
		br.Peek(
			t.Context(),
			func(p broker.DeadLettered) bool { order = append(order, p.Subscription+"/"+p.ID); return true },
		),
	)
	if got := strings.Join(order, " "); got != "importer/m0 audit/m1 audit/m2 importer/m3" {
		t.Error(got)
	}
}

// TestDeadLetteredByOthers: the portal and the broker itself have reasons of their own.
func TestDeadLetteredByOthers(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	br := b.broker(Options{})
	b.publish(br, "a")
	client := b.client(t)
	defer client.Close(context.WithoutCancel(t.Context()))
	r, err := client.NewReceiverForSubscription(topicEntity, "importer", nil)
	b.must(err)
	messages, err := r.ReceiveMessages(t.Context(), 1, nil)
	b.must(err)
	reason := "I did not like it"
	b.must(r.DeadLetterMessage(t.Context(), messages[0], &azservicebus.DeadLetterOptions{Reason: &reason}))
	p := b.dead(br)["a"]
	if p.Reason != fault.CodeUnknown || !strings.Contains(p.Detail, reason) || p.Attempts != 1 || p.At.IsZero() {
		t.Errorf("%+v", p)
	}
	b.must(br.Replay(t.Context(), "importer", "a", "a-r1"))
	got, _ := b.consume(br, importer, done)
	if d := next(t, got); d.ID != "a-r1" {
		t.Errorf("%+v", d)
	}
}

// TestLongDetail: the service takes no novel for a description, and no half character.
func TestLongDetail(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	br := b.broker(Options{})
	long := "x" + strings.Repeat("ä", 5000)
	got, stop := b.consume(br, importer, func(context.Context, broker.Delivery) broker.Outcome {
		return broker.DeadLetter(fault.New(fault.MessageMalformed, long))
	})
	b.publish(br, "a")
	next(t, got)
	stop()
	if p := b.dead(br)["a"]; len(p.Detail) != detailMost-1 || !strings.HasPrefix(long, p.Detail) {
		t.Errorf("%d bytes of detail", len(p.Detail))
	}
}

// TestCopies: another attempt is a copy in the broker. A crash between copy and completion changes nothing.
func TestCopies(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	var deaths atomic.Int32
	died := make(chan struct{})
	br := b.broker(Options{Now: b.Now, onStep: func(s step) {
		if s == stepCopied && deaths.Add(1) == 1 {
			close(died)
			runtime.Goexit()
		}
	}})
	sub := importer
	sub.Concurrency = 2 // one of the workers dies
	got, stop := b.consume(br, sub, func(_ context.Context, d broker.Delivery) broker.Outcome {
		if d.Attempt < 3 {
			return broker.RetryAfter(time.Hour)
		}
		return broker.Acknowledge()
	})
	b.publish(br, "a")
	expect := func(attempt int) {
		t.Helper()
		if d := next(t, got); d.Attempt != attempt || d.ID != "a" || d.Tenant != "contoso" {
			t.Errorf("%+v, want attempt %d", d, attempt)
		}
	}
	expect(1)
	next(t, died)
	b.Advance(importer.Lease + time.Second) // nobody renews what the dead worker had
	for _, attempt := range []int{1, 2} {
		expect(attempt)
		eventually(t, "one copy waits for its hour and nothing else", func() bool {
			waiting, err := b.Counts(topicEntity)
			left, err2 := b.Counts(importerEntity)
			return errors.Join(err, err2) == nil && waiting == simulator.Counts{Scheduled: 1} &&
				left == simulator.Counts{}
		})
		b.Advance(time.Hour)
	}
	expect(3)
	stop()
	b.want(importerEntity, simulator.Counts{})
	b.want(topicEntity, simulator.Counts{})
}

// TestCopiesReachOneSubscription also where nobody set a filter: the others put them aside unseen.
func TestCopiesReachOneSubscription(t *testing.T) {
	t.Parallel()
	other := broker.Subscription{Name: "audit", Type: importer.Type, Lease: time.Minute}
	b := newFixture(t, other)
	br := b.broker(Options{})
	got, stop := b.consume(br, importer, func(_ context.Context, d broker.Delivery) broker.Outcome {
		if d.Attempt == 1 {
			return broker.RetryAfter(time.Millisecond)
		}
		return broker.Acknowledge()
	})
	seen, stopOther := b.consume(br, other, done)
	b.publish(br, "a")
	next(t, got)
	next(t, got)
	b.publish(br, "last")
	next(t, got)
	next(t, seen)
	if d := next(t, seen); d.ID != "last" {
		t.Errorf("the other subscription got %s, attempt %d", d.ID, d.Attempt)
	}
	eventually(t, "the other subscription put the copies aside", func() bool {
		left, err := b.Counts("taxiway.devices.collected.v1.bulk/Subscriptions/audit")
		return err == nil && left == simulator.Counts{}
	})
	stop()
	stopOther()
}

// TestManyAttempts: the broker dead-letters what it delivered too often; attempts are copies.
func TestManyAttempts(t *testing.T) {
	t.Parallel()
	const attempts = 3 * MaxDeliveryCount
	b := newFixture(t)
	br := b.broker(Options{})
	got, stop := b.consume(br, importer, func(_ context.Context, d broker.Delivery) broker.Outcome {
		if d.Attempt < attempts {
			return broker.RetryAfter(0)
		}
		return broker.Acknowledge()
	})
	b.publish(br, "a")
	for want := 1; want <= attempts; want++ {
		if d := next(t, got); d.Attempt != want {
			t.Errorf("attempt %d, want %d", d.Attempt, want)
		}
	}
	stop()
	o := b.Operations()
	t.Logf("%d attempts: %+v, %d credits", attempts, o, o.Credits())
	b.want(importerEntity, simulator.Counts{})
}
