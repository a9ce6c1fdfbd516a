package sbbroker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/slowness"
)

func TestThrottled(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	br := b.broker(Options{PublishTimeout: slowness.Stretch(time.Second)}) // enough for one answer
	b.must(
		b.ThrottleSends(topicEntity, 6),
	) // more than the client library tries by itself
	ctx, cancel := awaittest.Context(t.Context())
	defer cancel()
	b.must(br.Publish(ctx, work("a")))
	b.want(importerEntity, simulator.Counts{Active: 1})
	b.must(b.ThrottleSends(topicEntity, 10_000))
	if err := br.Publish(t.Context(), work("b")); fault.CodeOf(err) != fault.BrokerBusy {
		t.Errorf("got %v", err)
	}
}

func TestFull(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	br := b.broker(Options{})
	b.must(b.SetFull(topicEntity, true))
	if err := br.Publish(t.Context(), work("a")); fault.CodeOf(err) != fault.BrokerBusy {
		t.Errorf("got %v", err)
	}
	if err := br.Health(t.Context()); fault.CodeOf(err) != fault.BrokerBusy {
		t.Errorf("health: %v", err)
	}
	b.must(b.SetFull(topicEntity, false))
	b.publish(br, "a")
	b.must(br.Health(t.Context()))
	b.want(importerEntity, simulator.Counts{Active: 1})
}

// TestAmbiguousSend: the connection ends before the acknowledgement, with the message stored or not.
func TestAmbiguousSend(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{true, false} {
		b := newFixture(t)
		br := b.broker(Options{})
		b.must(b.CutSends(topicEntity, 1, stored))
		b.publish(br, "a", "b")
		b.want(importerEntity, simulator.Counts{Active: 2})
	}
}

// TestManyTransfers: what does not fit into one transfer goes in several, each type to its own topic.
func TestManyTransfers(t *testing.T) {
	t.Parallel()
	other := broker.Subscription{Name: "importer", Type: "submissions.due.v1", Lease: time.Minute}
	b := newFixture(t, other)
	br := b.broker(Options{})
	var messages []broker.Message
	for i := range 10 {
		m := work(fmt.Sprint("big-", i))
		m.Body = make([]byte, 100<<10)
		messages = append(messages, m, broker.Message{ID: fmt.Sprint("due-", i), Type: other.Type})
	}
	b.must(br.Publish(t.Context(), messages...))
	b.want(importerEntity, simulator.Counts{Active: 10})
	b.want("taxiway.submissions.due.v1.bulk/Subscriptions/importer", simulator.Counts{Active: 10})
	if o := b.Operations(); o.Sent != 20 || o.Transfers != 6 {
		t.Errorf("%+v: two of 100 KB go into a transfer, and ten small ones", o)
	}
}

// TestDeadlines: a namespace that takes nothing does not hold anybody up.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	br := b.broker(Options{PublishTimeout: 300 * time.Millisecond})
	b.must(b.HoldCredit(topicEntity, true))
	b.publish(b.broker(Options{})) // nothing: no message, no batch
	if err := br.Publish(t.Context(), work("a")); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("got %v", err)
	}
	b.must(b.HoldCredit(topicEntity, false))
	patient, cancel := awaittest.Context(t.Context())
	defer cancel()
	b.must(br.Publish(patient, work("a")))
	b.want(importerEntity, simulator.Counts{Active: 1})
}

// TestNobodyThere: the namespace is away when it is opened, and while it is used.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	now := time.Now()
	br := b.broker(Options{PublishTimeout: 300 * time.Millisecond, Now: func() time.Time { return now }})
	b.must(br.Health(t.Context()))
	b.line.cut(1 << 30)
	now = now.Add(time.Minute) // the last answer has become old
	if err := br.Health(t.Context()); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("health: %v", err)
	}
	if err := br.Publish(t.Context(), work("a")); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("publish: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	client := b.client(t)
	defer client.Close(context.WithoutCancel(ctx))
	if _, err := New(ctx, client, Options{Topology: b.topology}); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("open: %v", err)
	}
	b.line.cut(0)
	patient, cancel := awaittest.Context(t.Context())
	defer cancel()
	b.must(br.Publish(patient, work("a")))
	b.must(br.Health(t.Context()))
}

// TestNotSetUp: what does not exist in the namespace is said at once, not after a deadline.
func TestNotSetUp(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	client := b.client(t)
	defer client.Close(context.WithoutCancel(t.Context()))
	missing := Topology{Topics: []Topic{{Type: "devices.ready.v1", Subscriptions: []string{"audit"}}}}
	if _, err := New(t.Context(), client, Options{Topology: missing}); fault.CodeOf(err) != fault.BrokerUnavailable ||
		!strings.Contains(fault.DetailOf(err), "taxiway.devices.ready.v1.bulk/audit") {
		t.Errorf("open: %v", err)
	}
	br := b.broker(Options{})
	if err := br.Publish(t.Context(), broker.Message{ID: "a", Type: "devices.ready.v1"}); fault.CodeOf(
		err,
	) != fault.BrokerUnavailable ||
		!strings.Contains(fault.DetailOf(err), "taxiway.devices.ready.v1") {
		t.Errorf("publish: %v", err)
	}
	if detail := fault.DetailOf(br.Health(t.Context())); !strings.Contains(detail, "taxiway.devices.ready.v1") {
		t.Errorf("health: %s", detail)
	}
	if err := br.Consume(t.Context(), broker.Subscription{Name: "nobody", Type: importer.Type}, done); fault.CodeOf(
		err,
	) != fault.BrokerUnavailable {
		t.Errorf("consume: %v", err)
	}
	for _, bad := range []Topology{{}, {Topics: []Topic{{Type: "A"}}}, {Topics: []Topic{{
		Type:          "a",
		Subscriptions: []string{"x y"},
	}}}, {Topics: []Topic{{Type: "a", Subscriptions: []string{"x", "x"}}}}} {
		if _, err := New(t.Context(), client, Options{Topology: bad}); fault.CodeOf(err) != fault.MessageMalformed {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestWaitingAtTheStart is not silent: the log says for what, at once and every half minute.
func TestWaitingAtTheStart(t *testing.T) {
	t.Parallel()
	b := newFixture(t)
	var clock atomic.Int64
	said := make(chan []byte, 100)
	b.line.cut(1 << 30)
	ctx, cancel := awaittest.Context(t.Context())
	defer cancel()
	client := b.client(t)
	opened := make(chan error, 1)
	go func() {
		br, err := New(ctx, client, Options{
			Topology: b.topology, Logger: slog.New(slog.NewTextHandler(writes(said), nil)),
			Now: func() time.Time { return time.Unix(clock.Load(), 0) },
		})
		if err == nil {
			err = br.Close(ctx)
		}
		opened <- err
	}()
	for range 2 {
		line := string(next(t, said))
		if !strings.Contains(line, "WARN") || !strings.Contains(line, "taxiway.devices.collected.v1.bulk/importer") ||
			!strings.Contains(line, "error=") {
			t.Error(line)
		}
		clock.Add(int64(sayEvery / time.Second))
	}
	b.line.cut(0)
	b.must(next(t, opened))
	if n := len(said); n > 1 { // one more is due
		t.Errorf("said %d times more", n)
	}
}

// TestNoToken: the namespace was not asked, so nobody says that it refused; and a token may be had in a moment.
func TestNoToken(t *testing.T) {
	t.Parallel()
	failed := &azidentity.AuthenticationFailedError{}
	tries := 0
	err := persist(t.Context(), func(context.Context) error {
		if tries++; tries < 3 {
			return failed
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Errorf("%d tries, %v", tries, err)
	}
	err = answer(t.Context(), failed)
	if detail := fault.DetailOf(err); fault.CodeOf(err) != fault.BrokerUnavailable ||
		strings.Contains(detail, "refuses") ||
		!strings.Contains(detail, "token") {
		t.Errorf("got %v", err)
	}
	if refused := final(&azservicebus.Error{Code: azservicebus.CodeUnauthorizedAccess}); !strings.Contains(
		fault.DetailOf(refused),
		"refuses",
	) {
		t.Errorf("got %v", refused)
	}
}
