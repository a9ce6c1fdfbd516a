package simulator_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"taxiway.example/pkg/broker/sbbroker/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSendReceiveComplete(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a")
	r := b.receiver("plain", nil)
	m := b.one(r)
	if string(m.Body) != "body of a" || m.MessageID != "a" || m.DeliveryCount != 1 {
		t.Errorf("got body %q, id %q, delivery count %d", m.Body, m.MessageID, m.DeliveryCount)
	}
	if diff := cmp.Diff(map[string]any{"kind": "test", "n": int64(1)}, m.ApplicationProperties); diff != "" {
		t.Error(diff)
	}
	if *m.SequenceNumber != 1 || m.LockedUntil.Sub(b.server.Now()) > time.Minute || m.EnqueuedTime == nil {
		t.Errorf(
			"got sequence number %d, locked until %v, enqueued %v",
			*m.SequenceNumber,
			m.LockedUntil,
			m.EnqueuedTime,
		)
	}
	b.want("plain", simulator.Counts{Locked: 1})
	b.complete(r, m)
	b.want("plain", simulator.Counts{})
}

func TestBatch(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	batch, err := s.NewMessageBatch(b.ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range numbered(100) {
		if err := batch.AddMessage(message(id), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SendMessageBatch(b.ctx, batch, nil); err != nil {
		t.Fatal(err)
	}
	r := b.receiver("plain", nil)
	got := b.many(r, 100)
	for i, m := range got {
		if want := numbered(100)[i]; m.MessageID != want || string(m.Body) != "body of "+want {
			t.Errorf("message %d is %q with body %q", i, m.MessageID, m.Body)
		}
	}
	b.complete(r, got...)
	b.want("plain", simulator.Counts{})
}

func TestAbandonUntilDeadLetter(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a")
	r := b.receiver("plain", nil)
	for i := range uint32(3) {
		m := b.one(r)
		if m.DeliveryCount != i+1 {
			t.Errorf("delivery count %d, want %d", m.DeliveryCount, i+1)
		}
		change := &azservicebus.AbandonMessageOptions{PropertiesToModify: map[string]any{"tries": int64(i)}}
		if err := r.AbandonMessage(b.ctx, m, change); err != nil {
			t.Fatal(err)
		}
	}
	b.want("plain", simulator.Counts{DeadLetter: 1})
	m := b.one(b.deadLettersOf("plain"))
	if *m.DeadLetterReason != "MaxDeliveryCountExceeded" || *m.DeadLetterSource != "plain" {
		t.Errorf("reason %q, source %q", *m.DeadLetterReason, *m.DeadLetterSource)
	}
	if m.ApplicationProperties["tries"] != int64(2) {
		t.Errorf("properties %v", m.ApplicationProperties)
	}
}

func TestDeadLetterAndReplay(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	b.send(s, "a")
	r := b.receiver("plain", nil)
	err := r.DeadLetterMessage(b.ctx, b.one(r), &azservicebus.DeadLetterOptions{
		Reason:           ptr("hash.truncated"),
		ErrorDescription: ptr("too short"), PropertiesToModify: map[string]any{"stage": "collector"},
	})
	if err != nil {
		t.Fatal(err)
	}
	dead := b.deadLettersOf("plain")
	m := b.one(dead)
	if *m.DeadLetterReason != "hash.truncated" || *m.DeadLetterErrorDescription != "too short" ||
		m.ApplicationProperties["stage"] != "collector" || m.MessageID != "a" {
		t.Errorf("dead letter %+v", m)
	}
	again := m.Message()
	again.MessageID = ptr("a#1")
	if err := s.SendMessage(b.ctx, again, nil); err != nil {
		t.Fatal(err)
	}
	b.complete(dead, m)
	got := b.one(r)
	if got.MessageID != "a#1" || *got.DeadLetterReason != "hash.truncated" {
		t.Errorf("replayed %q, reason %v: Message() copies it", got.MessageID, got.DeadLetterReason)
	}
	b.complete(r, got)
	b.want("plain", simulator.Counts{})
}

func TestDeadLetterOfDeadLetterIsRefused(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a")
	r := b.receiver("plain", nil)
	if err := r.DeadLetterMessage(b.ctx, b.one(r), nil); err != nil {
		t.Fatal(err)
	}
	dead := b.deadLettersOf("plain")
	if err := dead.DeadLetterMessage(b.ctx, b.one(dead), nil); err == nil {
		t.Error("a dead letter was dead-lettered")
	}
	b.want("plain", simulator.Counts{DeadLetter: 1})
}

func TestPeek(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), numbered(5)...)
	r := b.receiver("plain", nil)
	locked := b.one(r)
	first, err := r.PeekMessages(b.ctx, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.PeekMessages(b.ctx, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 3 || len(second) != 2 || first[0].MessageID != locked.MessageID {
		t.Errorf("peeked %d and %d", len(first), len(second))
	}
	none, err := r.PeekMessages(b.ctx, 3, nil)
	if err != nil || len(none) != 0 {
		t.Errorf("peeked %d more, err %v", len(none), err)
	}
	b.want("plain", simulator.Counts{Active: 4, Locked: 1})
}

func TestRenewAndLockExpiry(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a")
	r := b.receiver("plain", nil)
	m := b.one(r)
	before := *m.LockedUntil
	b.server.Advance(40 * time.Second)
	if err := r.RenewMessageLock(b.ctx, m, nil); err != nil {
		t.Fatal(err)
	}
	if !m.LockedUntil.After(before) {
		t.Errorf("lock until %v, was %v", m.LockedUntil, before)
	}
	b.server.Advance(40 * time.Second)
	b.want("plain", simulator.Counts{Locked: 1})
	b.server.Advance(21 * time.Second)
	b.want("plain", simulator.Counts{Active: 1})
	wantCode(t, azservicebus.CodeLockLost, r.CompleteMessage(b.ctx, m, nil))
	wantCode(t, azservicebus.CodeLockLost, r.RenewMessageLock(b.ctx, m, nil))
	again := b.one(r)
	if again.DeliveryCount != 2 {
		t.Errorf("delivery count %d after an expired lock", again.DeliveryCount)
	}
	b.complete(r, again)
}

func wantCode(t *testing.T, code azservicebus.Code, err error) {
	t.Helper()
	var sb *azservicebus.Error
	if !errors.As(err, &sb) || sb.Code != code {
		t.Errorf("got error %v, want code %s", err, code)
	}
}

func TestScheduleAndCancel(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	at := b.server.Now().Add(time.Hour)
	numbers, err := s.ScheduleMessages(b.ctx, []*azservicebus.Message{message("a"), message("b")}, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.want("plain", simulator.Counts{Scheduled: 2})
	if err := s.CancelScheduledMessages(b.ctx, numbers[:1], nil); err != nil {
		t.Fatal(err)
	}
	wantCode(t, azservicebus.CodeNotFound, s.CancelScheduledMessages(b.ctx, numbers[:1], nil))
	later := message("c")
	later.ScheduledEnqueueTime = ptr(at.Add(time.Hour))
	if err := s.SendMessage(b.ctx, later, nil); err != nil {
		t.Fatal(err)
	}
	b.want("plain", simulator.Counts{Scheduled: 2})
	b.server.Advance(61 * time.Minute)
	r := b.receiver("plain", nil)
	if m := b.one(r); m.MessageID != "b" || *m.SequenceNumber == numbers[1] {
		t.Errorf("got %q with sequence number %d, scheduled as %d", m.MessageID, *m.SequenceNumber, numbers[1])
	}
	b.server.Advance(time.Hour)
	b.want("plain", simulator.Counts{Active: 2})
	if got := b.many(r, 2); got[0].MessageID != "b" || got[1].MessageID != "c" {
		t.Errorf("got %q and %q", got[0].MessageID, got[1].MessageID)
	}
}

func TestDuplicateDetection(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("unique")
	b.send(s, "a", "a", "b")
	b.want("unique", simulator.Counts{Active: 2})
	later := message("a")
	later.ScheduledEnqueueTime = ptr(b.server.Now().Add(time.Hour))
	if err := s.SendMessage(b.ctx, later, nil); err != nil {
		t.Fatal(err)
	}
	b.want("unique", simulator.Counts{Active: 2})
	b.server.Advance(61 * time.Second)
	b.send(s, "a")
	b.want("unique", simulator.Counts{Active: 3})
}

func TestDefer(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a")
	r := b.receiver("plain", nil)
	m := b.one(r)
	if err := r.DeferMessage(b.ctx, m, &azservicebus.DeferMessageOptions{PropertiesToModify: map[string]any{"why": "later"}}); err != nil {
		t.Fatal(err)
	}
	b.want("plain", simulator.Counts{Deferred: 1})
	peeked, err := r.PeekMessages(b.ctx, 1, nil)
	if err != nil || len(peeked) != 1 || peeked[0].State != azservicebus.MessageStateDeferred {
		t.Errorf("peeked %v, err %v", peeked, err)
	}
	got, err := r.ReceiveDeferredMessages(b.ctx, []int64{*m.SequenceNumber}, nil)
	if err != nil || len(got) != 1 || got[0].ApplicationProperties["why"] != "later" {
		t.Fatalf("got %v, err %v", got, err)
	}
	b.want("plain", simulator.Counts{Locked: 1})
	b.server.Advance(61 * time.Second)
	b.want("plain", simulator.Counts{Deferred: 1})
	got, err = r.ReceiveDeferredMessages(b.ctx, []int64{*m.SequenceNumber}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.complete(r, got...)
	b.want("plain", simulator.Counts{})
}

func TestTimeToLive(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("mortal")
	short := message("short")
	long := message("long")
	short.TimeToLive = ptr(time.Minute)
	long.TimeToLive = ptr(48 * time.Hour)
	for _, m := range []*azservicebus.Message{short, long} {
		if err := s.SendMessage(b.ctx, m, nil); err != nil {
			t.Fatal(err)
		}
	}
	b.server.Advance(61 * time.Second)
	b.want("mortal", simulator.Counts{Active: 1, DeadLetter: 1})
	if m := b.one(b.deadLettersOf("mortal")); *m.DeadLetterReason != "TTLExpiredException" || m.MessageID != "short" {
		t.Errorf("dead letter %q, reason %q", m.MessageID, *m.DeadLetterReason)
	}
	m := b.one(b.receiver("mortal", nil))
	if m.MessageID != "long" || *m.TimeToLive != time.Hour {
		t.Errorf("%q lives %v: the entity's default caps it", m.MessageID, m.TimeToLive)
	}
	b.server.Advance(time.Hour)
	b.want("mortal", simulator.Counts{DeadLetter: 2})

	plain := b.sender("plain")
	if err := plain.SendMessage(b.ctx, short, nil); err != nil {
		t.Fatal(err)
	}
	b.server.Advance(61 * time.Second)
	b.want("plain", simulator.Counts{})
}

func TestSizeLimit(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("plain")
	big := &azservicebus.Message{Body: bytes.Repeat([]byte{1}, 256<<10)}
	if err := s.SendMessage(b.ctx, big, nil); !errors.Is(err, azservicebus.ErrMessageTooLarge) {
		t.Errorf("256 KiB body: %v", err)
	}
	big.Body = bytes.Repeat([]byte{7}, 200<<10)
	if err := s.SendMessage(b.ctx, big, nil); err != nil {
		t.Fatal(err)
	}
	r := b.receiver("plain", nil)
	if m := b.one(r); !bytes.Equal(m.Body, big.Body) {
		t.Errorf("200 KiB came back as %d bytes", len(m.Body))
	}
	long := message(strings.Repeat("x", 129))
	if err := s.SendMessage(b.ctx, long, nil); err == nil {
		t.Error("a message id of 129 characters was accepted")
	}
}

func TestReceiveAndDelete(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	b.send(b.sender("plain"), "a", "b")
	r := b.receiver("plain", &azservicebus.ReceiverOptions{ReceiveMode: azservicebus.ReceiveModeReceiveAndDelete})
	b.many(r, 2)
	b.want("plain", simulator.Counts{})
}

func TestTopic(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	s := b.sender("Events") // addresses are compared without case
	b.send(s, "a")
	left := b.subscriber("events", "left", nil)
	right := b.subscriber("events", "RIGHT", nil)
	b.complete(left, b.one(left))
	if err := right.DeadLetterMessage(b.ctx, b.one(right), &azservicebus.DeadLetterOptions{Reason: ptr("no")}); err != nil {
		t.Fatal(err)
	}
	b.want("events/Subscriptions/left", simulator.Counts{})
	b.want("events/Subscriptions/right", simulator.Counts{DeadLetter: 1})
	dead := b.subscriber("events", "right", &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter})
	if m := b.one(dead); *m.DeadLetterReason != "no" || *m.DeadLetterSource != "events/Subscriptions/right" {
		t.Errorf("reason %q, source %q", *m.DeadLetterReason, *m.DeadLetterSource)
	}
	at := b.server.Now().Add(time.Hour)
	if _, err := s.ScheduleMessages(b.ctx, []*azservicebus.Message{message("b")}, at, nil); err != nil {
		t.Fatal(err)
	}
	b.want("events", simulator.Counts{Scheduled: 1})
	b.server.Advance(time.Hour)
	if m := b.one(left); m.MessageID != "b" || *m.EnqueuedSequenceNumber == 0 {
		t.Errorf("got %q", m.MessageID)
	}
}

func TestUnknownEntity(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	wantCode(t, azservicebus.CodeNotFound, b.sender("nowhere").SendMessage(b.ctx, message("a"), nil))
	_, err := b.receiver("nowhere", nil).ReceiveMessages(b.ctx, 1, nil)
	wantCode(t, azservicebus.CodeNotFound, err)
}
