package natsbroker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/adapter"
	"taxiway.example/pkg/fault"
)

var importer = broker.Subscription{Name: "importer", Type: "devices.collected.v1", Lease: time.Second}

func work(id string) broker.Message {
	return broker.Message{ID: id, Type: importer.Type, Tenant: "secret-tenant", Body: []byte("{}")}
}

func (b *Broker) closing(t *testing.T) *Broker {
	t.Helper()
	t.Cleanup(func() {
		if err := b.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return b
}

// collect consumes until the end of the test; got receives every delivery.
func collect(
	t *testing.T,
	b *Broker,
	sub broker.Subscription,
	answer broker.Outcome,
) (got chan broker.Delivery, stop func()) {
	t.Helper()
	got = make(chan broker.Delivery, 1000)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- b.Consume(ctx, sub, func(_ context.Context, d broker.Delivery) broker.Outcome { got <- d; return answer })
	}()
	stopped := false
	stop = func() {
		cancel()
		if !stopped {
			stopped = true
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return got, stop
}

func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	return awaittest.Receive(t, "the next", from)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	awaittest.True(t, what, func(context.Context) bool { return ok() })
}

// patient is a context that bounds a call.
func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := awaittest.Context(t.Context())
	t.Cleanup(cancel)
	return ctx
}

func mustPublish(t *testing.T, b *Broker, m ...broker.Message) {
	t.Helper()
	if err := b.Publish(t.Context(), m...); err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, b *Broker) jetstream.StreamState {
	t.Helper()
	s, err := b.js.Stream(t.Context(), workStream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State
}

// TestSomebodyClearsTheBroker: purging and deleting cost what was in flight and nothing else.
func TestSomebodyClearsTheBroker(t *testing.T) {
	t.Parallel()
	ways := map[string]func(ctx context.Context, b *Broker) error{
		"purge": func(ctx context.Context, b *Broker) error {
			s, err := b.js.Stream(ctx, workStream)
			return errors.Join(err, s.Purge(ctx))
		},
		"delete the streams": func(ctx context.Context, b *Broker) error {
			return errors.Join(b.js.DeleteStream(ctx, workStream), b.js.DeleteStream(ctx, deadStream))
		},
		"delete the consumer": func(ctx context.Context, b *Broker) error {
			return b.js.DeleteConsumer(ctx, workStream, placeOf(importer).durable)
		},
	}
	for name, clear := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t).open(t, Options{}).closing(t)
			started := make(chan string, 1000)
			gate := make(chan struct{})
			ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
			ended := make(chan error, 1)
			go func() {
				ended <- b.Consume(ctx, importer, func(_ context.Context, d broker.Delivery) broker.Outcome {
					started <- d.ID
					if d.ID == "in-hand" {
						<-gate
					}
					if d.ID == "given-up" {
						return broker.DeadLetter(fault.New(fault.MessageMalformed, ""))
					}
					return broker.Acknowledge()
				})
			}()
			mustPublish(t, b, work("in-hand"), work("waiting"))
			next(t, started)
			if err := clear(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			close(gate)
			mustPublish(t, b, work("afterwards"), work("given-up"))
			for seen := map[string]bool{}; !seen["afterwards"] || !seen["given-up"]; {
				seen[next(t, started)] = true
			}
			cancel()
			if err := next(t, ended); err != nil {
				t.Error(err)
			}
			dead := 0
			if err := b.Peek(t.Context(), func(broker.DeadLettered) bool { dead++; return true }); err != nil ||
				dead != 1 {
				t.Errorf("%d dead letters, %v", dead, err)
			}
			if err := b.Health(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTrim: what every subscription has done goes, what one of them has not stays.
func TestTrim(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{}).closing(t)
	trim := func() uint64 {
		for range 2 { // the first only remembers how far the stream went
			if err := b.Trim(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return stored(t, b).Msgs
	}
	for i := range 10 {
		mustPublish(t, b, work(fmt.Sprint("m", i)))
	}
	if n := trim(); n != 10 {
		t.Errorf("%d messages are left of 10 that nobody has seen", n)
	}
	got, stop := collect(t, b, importer, broker.Acknowledge())
	for range 10 {
		next(t, got)
	}
	stop()
	other := broker.Subscription{Name: "grouper", Type: "devices.registered.v1", Lease: time.Second}
	_, stop = collect(t, b, other, broker.Acknowledge()) // it has nothing to do and holds nothing back
	eventually(t, "the other subscription exists", func() bool {
		_, err := b.js.Consumer(t.Context(), workStream, placeOf(other).durable)
		return err == nil
	})
	stop()
	if n := trim(); n != 0 {
		t.Errorf("%d messages are left that everybody has done", n)
	}
	mustPublish(t, b, work("undone"), broker.Message{ID: "done", Type: other.Type})
	got, stop = collect(t, b, other, broker.Acknowledge())
	next(t, got)
	stop()
	if n := trim(); n != 2 {
		t.Errorf("%d messages are left; one of them waits for the importer, and stands before the other", n)
	}
	got, _ = collect(t, b, importer, broker.Acknowledge())
	if d := next(t, got); d.ID != "undone" {
		t.Errorf("got %s", d.ID)
	}
}

// TestFull: a full broker says so and loses nothing; done work makes room.
func TestFull(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{MaxBytes: 1 << 20}).closing(t)
	n := 0
	err := error(nil)
	for ; err == nil; n++ {
		m := work(fmt.Sprint("m", n))
		m.Body = make([]byte, 100<<10)
		err = b.Publish(t.Context(), m)
	}
	if fault.CodeOf(err) != fault.BrokerBusy {
		t.Fatalf("got %v", err)
	}
	got, stop := collect(t, b, importer, broker.Acknowledge())
	for range n - 1 {
		next(t, got)
	}
	stop()
	for range 2 {
		if err := b.Trim(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mustPublish(t, b, work("again"))
}

func TestFullIsUnhealthy(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{MaxBytes: 100 << 10}).closing(t)
	for i := 0; ; i++ {
		m := work(fmt.Sprint("m", i))
		m.Body = make([]byte, 1000)
		if err := b.Publish(t.Context(), m); err != nil {
			break
		}
	}
	if err := b.Health(t.Context()); fault.CodeOf(err) != fault.BrokerBusy {
		t.Errorf("got %v", err)
	}
}

// TestReplayAfterACrash: an earlier call published the copy and died before it removed the dead letter.
func TestReplayAfterACrash(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{}).closing(t)
	mustPublish(t, b, work("a"))
	got, stop := collect(t, b, importer, broker.DeadLetter(fault.New(fault.MessageMalformed, "")))
	next(t, got)
	stop()
	raw, err := b.find(t.Context(), "importer", "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Replay(t.Context(), "importer", "a", "a-r1"); err != nil {
		t.Fatal(err)
	}
	put := &nats.Msg{Subject: raw.Subject, Header: nats.Header{}, Data: raw.Data} // as if it had not been removed
	for name, values := range raw.Header {
		if !strings.HasPrefix(name, "Nats-") { // those came with the answer
			put.Header[name] = values
		}
	}
	if _, err := b.js.PublishMsg(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	if err := b.Replay(t.Context(), "importer", "a", "a-r1"); err != nil {
		t.Fatal(err)
	}
	if state := stored(t, b); state.Msgs != 2 {
		t.Errorf("%d messages: the original and one copy were expected", state.Msgs)
	}
	if _, err := b.find(t.Context(), "importer", "a"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("it is still dead: %v", err)
	}
}

// TestReplayNeedsTheSubscription: a copy that nobody gets would be trimmed.
func TestReplayNeedsTheSubscription(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{}).closing(t)
	mustPublish(t, b, work("a"))
	got, stop := collect(t, b, importer, broker.DeadLetter(fault.New(fault.MessageMalformed, "")))
	next(t, got)
	stop()
	if err := b.js.DeleteConsumer(t.Context(), workStream, placeOf(importer).durable); err != nil {
		t.Fatal(err)
	}
	if err := b.Replay(t.Context(), "importer", "a", "a-r1"); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("got %v", err)
	}
}

// TestCrashBetweenCopyAndAck: the next attempt is stored once, however often the one before comes back.
func TestCrashBetweenCopyAndAck(t *testing.T) {
	t.Parallel()
	backend := newBackend(t)
	var deaths atomic.Int32
	b := backend.open(t, Options{onStep: func(s step) {
		if s == stepCopied && deaths.Add(1) <= 2 {
			runtime.Goexit()
		}
	}}).closing(t)
	mustPublish(t, b, work("a"))
	got := make(chan int, 100)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- b.Consume(ctx, importer, func(_ context.Context, d broker.Delivery) broker.Outcome {
			got <- d.Attempt
			if d.Attempt == 1 {
				return broker.RetryAfter(5 * time.Second)
			}
			return broker.Acknowledge()
		})
	}()
	attempts := map[int]int{}
	for attempts[2] == 0 {
		attempts[next(t, got)]++
	}
	cancel()
	if err := next(t, ended); err != nil {
		t.Error(err)
	}
	close(got)
	for a := range got {
		attempts[a]++
	}
	if attempts[1] != 3 || attempts[2] != 1 {
		t.Errorf("deliveries by attempt: %v", attempts)
	}
	if state := stored(t, b); state.Msgs != 2 {
		t.Errorf("%d messages: the original and one copy were expected", state.Msgs)
	}
}

// TestForeignMessages: what other programs publish reaches the handler with what can be known of it.
func TestForeignMessages(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{}).closing(t)
	subject := "taxiway.ev.devices.collected.v1.bulk.anything"
	for _, h := range []nats.Header{
		nil,
		{"ce-id": {"from-ce"}, "ce-tenantid": {"contoso"}, "Ce-Odd": {"case matters"}},
		{"Nats-Msg-Id": {"from-nats"}, "taxiway-attempt": {"-7"}, "taxiway-not-before": {"soon"}, "ce-bad": {"100%"}},
	} {
		if _, err := b.js.PublishMsg(t.Context(), &nats.Msg{Subject: subject, Header: h, Data: []byte{0xff}}); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := collect(t, b, importer, broker.Acknowledge())
	byID := map[string]broker.Delivery{}
	for range 3 {
		d := next(t, got)
		byID[d.ID] = d
		if d.Attempt != 1 || d.Type != importer.Type || d.Published.IsZero() || len(d.Body) != 1 {
			t.Errorf("%+v", d)
		}
	}
	if h := byID["from-ce"].Headers; h["tenantid"] != "contoso" || len(h) != 2 {
		t.Errorf("headers %v", h)
	}
	if byID["from-nats"].Headers["bad"] != "100%" || byID["seq-1"].ID == "" {
		t.Errorf("%v", byID)
	}
}

// TestSubjectsHideNames: tenants and ids stand in no subject.
func TestSubjectsHideNames(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{}).closing(t)
	mustPublish(t, b, work("secret-id"))
	got, stop := collect(t, b, importer, broker.DeadLetter(errors.New("x")))
	next(t, got)
	stop()
	for _, name := range []string{workStream, deadStream} {
		s, err := b.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := s.Info(t.Context(), jetstream.WithSubjectFilter(">"))
		if err != nil || len(info.State.Subjects) != 1 {
			t.Fatal(info.State.Subjects, err)
		}
		for subject := range info.State.Subjects {
			if strings.Contains(subject, "secret") {
				t.Errorf("%s", subject)
			}
		}
	}
}

// TestWatchdog: messages wait and none is delivered; here because somebody paused the consumer.
func TestWatchdog(t *testing.T) {
	t.Parallel()
	b := newBackend(t).open(t, Options{}).closing(t)
	got, _ := collect(t, b, importer, broker.Acknowledge())
	mustPublish(t, b, work("a"))
	next(t, got)
	if _, err := b.js.PauseConsumer(t.Context(), workStream, placeOf(importer).durable, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	mustPublish(t, b, work("b"))
	eventually(t, "unhealthy", func() bool {
		err := b.Health(t.Context())
		return fault.CodeOf(err) == fault.BrokerUnavailable && strings.Contains(err.Error(), "importer_devices")
	})
	if _, err := b.js.ResumeConsumer(t.Context(), workStream, placeOf(importer).durable); err != nil {
		t.Fatal(err)
	}
	if d := next(t, got); d.ID != "b" {
		t.Errorf("got %s", d.ID)
	}
	eventually(t, "healthy again", func() bool { return b.Health(t.Context()) == nil })
}

// TestServerAway: publishing answers within its deadline, and the handler learns that its lease is lost.
func TestServerAway(t *testing.T) {
	t.Parallel()
	backend := newBackend(t)
	b := backend.open(t, Options{PublishTimeout: 500 * time.Millisecond}).closing(t)
	mustPublish(t, b, work("a"))
	started := make(chan struct{}, 10)
	ended := make(chan error, 10)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	consumed := make(chan error, 1)
	go func() {
		consumed <- b.Consume(ctx, importer, func(ctx context.Context, _ broker.Delivery) broker.Outcome {
			started <- struct{}{}
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return broker.Release()
		})
	}()
	next(t, started)
	backend.mu.Lock() // nobody connects any more
	err := backend.srv.Close()
	backend.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Publish(t.Context(), work("b")); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("publish: %v", err)
	}
	if err := b.Health(t.Context()); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("health: %v", err)
	}
	if cause := next(t, ended); !errors.Is(cause, adapter.ErrLost) {
		t.Errorf("the handler ended with %v", cause)
	}
	backend.start(t)
	next(t, started) // it comes again
	cancel()
	if err := next(t, consumed); err != nil {
		t.Error(err)
	}
}
