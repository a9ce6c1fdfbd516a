package collector_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/intake"
	"taxiway.example/pkg/ledger"
	"taxiway.example/services/collector"
)

// From an OEM's queue to what the importer hears of it, and what the OEM can look up.
func TestQueueReachesTheImporter(t *testing.T) {
	t.Parallel()
	onEachBus(t, func(t *testing.T, x *exchange) {
		r := x.run(t, collector.Config{})
		heard := make(chan event.Event, 10)
		ctx, cancel := context.WithCancel(t.Context())
		consumed := make(chan error, 1)
		go func() {
			consumed <- x.broker.Consume(ctx, broker.Subscription{Name: "importer", Type: string(event.DevicesCollected)},
				func(_ context.Context, d broker.Delivery) broker.Outcome {
					e, err := event.Decode(d.Headers, d.Body)
					heard <- e
					if err != nil {
						return broker.DeadLetter(err)
					}
					return broker.Acknowledge()
				})
		}()
		x.send(t, contosoA, "order 1", marshal(t, made(t, 1)))
		x.send(t, contosoA, "order 2", marshal(t, list(made(t, 2), made(t, 3), made(t, 1))))
		one := r.taken(t, "oem-a", "order 1")
		many := r.taken(t, "oem-a", "order 2")
		if one.Source != "oem-a" || one.Name != "order 1" || one.Rows != 1 {
			t.Errorf("%+v", one)
		}
		if many.Rows != 3 ||
			many.Outcomes["accepted"]+one.Outcomes["accepted"]+many.Outcomes["duplicate"]+one.Outcomes["duplicate"] != 4 {
			t.Errorf("%+v and %+v", one, many)
		}
		named := map[string]string{}
		for len(named) < 3 {
			e := awaittest.Receive(t, "the next devices", heard)
			for _, id := range e.Devices {
				named[id] = e.Batch
			}
		}
		for id, batch := range named {
			found, err := x.ledger.Devices(t.Context(), "contoso", []string{id})
			if err != nil || len(found) != 1 || found[0].GroupTag != "KIOSK" || found[0].Batch != batch ||
				batch != one.ID && batch != many.ID {
				t.Errorf("%+v %v", found, err)
			}
		}
		cancel()
		if err := <-consumed; err != nil {
			t.Error(err)
		}
	})
}

// Each row is answered as the same device is over HTTP.
func TestQueueAnswersAsHTTPDoes(t *testing.T) {
	t.Parallel()
	onEachBus(t, func(t *testing.T, x *exchange) {
		r := x.run(t, collector.Config{})
		with := func(d map[string]any, name string, value any) map[string]any { d[name] = value; return d }
		cut := made(t, 4)
		cut["hardwareHash"] = cut["hardwareHash"].(string)[:400]
		devices := []any{
			made(t, 1), made(t, 2), made(t, 1), with(made(t, 3), "serialNumber", "another"), cut,
			map[string]any{"serialNumber": "S"},
			with(made(t, 5), "assignedUser", "nobody"),
			with(made(t, 6), "groupTag", strings.Repeat("x", 100)), with(made(t, 7), "groupTag", "KIOSK"),
		}
		x.send(t, contosoB, "all", marshal(t, list(devices...)))
		byQueue := r.rows(t, key, r.taken(t, "oem-b", "all").ID)
		if len(byQueue) != len(devices) {
			t.Fatalf("%d rows of %d devices", len(byQueue), len(devices))
		}
		codes := map[string]bool{}
		for i, d := range devices {
			var answer struct {
				rowView
				Errors []rowView
			}
			r.call(t, http.MethodPost, "/v1/devices", fabrikamKey, d, &answer)
			got := byQueue[i]
			want := answer.rowView
			if len(answer.Errors) == 1 {
				want = answer.Errors[0]
				want.Outcome = got.Outcome
			}
			if want.Code == "device.duplicate" && got.Code == "row.duplicate_in_file" { // one batch here, two there
				got.Code = want.Code
			}
			got.Device = ""
			want.Device = ""
			want.Row = got.Row
			got.Warnings = nil
			want.Warnings = nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("device %d differs from HTTP: %s", i+1, diff)
			}
			codes[got.Code] = true
		}
		if len(codes) < 6 {
			t.Errorf("the devices were to fail in many ways: %v", codes)
		}
	})
}

// What cannot be understood is put aside with its reason; its neighbours go on.
func TestUnreadableMessages(t *testing.T) {
	t.Parallel()
	onEachBus(t, func(t *testing.T, x *exchange) {
		r := x.run(t, collector.Config{Queues: collector.Queues{MaxDevices: 3, MaxBody: 20_000}})
		const secret = "zqxzqx"
		bad := map[string]struct {
			body []byte
			code fault.Code
		}{
			"no JSON":   {[]byte("serial,hash\n" + secret), fault.MessageMalformed},
			"empty":     {nil, fault.MessageMalformed},
			"no device": {marshal(t, list()), fault.MessageMalformed},
			"foreign":   {marshal(t, map[string]any{"hardwareHash": secret, "tenantId": secret}), fault.MessageMalformed},
			"too many":  {marshal(t, list(1, 2, 3, secret)), fault.MessageTooLarge},
			"too large": {[]byte(strings.Repeat(secret, 20_000/len(secret)+1)), fault.MessageTooLarge},
		}
		seed := uint64(0)
		for name, m := range bad {
			seed++
			x.send(t, contosoA, name, m.body)
			x.send(t, contosoA, "good "+name, marshal(t, made(t, seed)))
		}
		counts := map[string]int{}
		for _, l := range r.deadLetters(t, len(bad)) {
			if l.Tenant != "contoso" || l.Type != "inbound."+contosoA || l.Subscription != "collector" ||
				l.Detail == "" {
				t.Errorf("%+v", l)
			}
			if strings.Contains(fmt.Sprint(l), secret) {
				t.Errorf("the dead letter holds the body: %+v", l)
			}
			counts[l.Code]++
		}
		if want := map[string]int{"message.malformed": 4, "message.too_large": 2}; !cmp.Equal(counts, want) {
			t.Errorf("%v, want %v", counts, want)
		}
		for name, m := range bad {
			if b := r.taken(t, "oem-a", "good "+name); b.Outcomes["accepted"] != 1 {
				t.Errorf("beside %s: %+v", name, b)
			}
			if b, ok := r.find(t, key, "oem-a", name); ok {
				t.Errorf("%s has a batch: %+v", name, b)
			}
			var answer struct{ Message, Code, Title, Hint string }
			if err := json.Unmarshal(x.ask(t, contosoB, name, m.body), &answer); err != nil || answer.Message != name ||
				answer.Code != string(m.code) ||
				answer.Title == "" ||
				answer.Hint == "" {
				t.Errorf("the sender is told %+v, %v", answer, err)
			}
		}
		awaittest.True(t, "not all messages are in the dead-letter queue", func(context.Context) bool {
			held := 0
			if err := x.broker.Peek(t.Context(), func(broker.DeadLettered) bool { held++; return true }); err != nil {
				t.Fatal(err)
			}
			return held == 2*len(bad)
		})
	})
}

// snapshot is everything that the ledger says of contoso's messages.
func (x *exchange) snapshot(t *testing.T, sources []string, ids []string) (all []any) {
	t.Helper()
	for i, source := range sources {
		b, err := x.ledger.BatchByKey(t.Context(), "contoso", source+"\t"+ids[i])
		if err != nil {
			t.Fatal(err)
		}
		rows, err := x.ledger.Rows(t.Context(), "contoso", b.ID, ledger.RowQuery{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b, rows)
		for _, row := range rows {
			if row.Device == "" {
				continue
			}
			timeline, err := x.ledger.Timeline(t.Context(), "contoso", row.Device)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, timeline)
		}
	}
	return all
}

// The broker delivers everything once more: nothing changes.
func TestQueueRedelivery(t *testing.T) {
	t.Parallel()
	onEachBus(t, func(t *testing.T, x *exchange) {
		r := x.run(t, collector.Config{})
		x.send(t, contosoA, "one", marshal(t, made(t, 1)))
		x.send(t, contosoB, "many", marshal(t, list(made(t, 2), 7, made(t, 3))))
		x.send(t, contosoA, "bad", []byte("no JSON"))
		r.taken(t, "oem-a", "one")
		r.taken(t, "oem-b", "many")
		deadLetters := r.deadLetters(t, 1)
		sources := []string{"oem-a", "oem-b"}
		ids := []string{"one", "many"}
		before := x.snapshot(t, sources, ids)
		r.stop()
		r.wait(t)
		x.again(t)
		r = x.run(t, collector.Config{})
		// These come behind the repeated ones.
		for _, queue := range []string{contosoA, contosoB} {
			x.send(t, queue, "last", marshal(t, made(t, 9)))
		}
		r.taken(t, "oem-a", "last")
		r.taken(t, "oem-b", "last")
		r.stop() // waits for what is at work
		r.wait(t)
		if diff := cmp.Diff(before, x.snapshot(t, sources, ids)); diff != "" {
			t.Error(diff)
		}
		r = x.run(t, collector.Config{})
		if again := r.deadLetters(t, 1); again[0].ID != deadLetters[0].ID {
			t.Errorf("another dead letter: %+v", again)
		}
	})
}

// A broken ledger fails the n-th call of an operation, before or after it took effect.
type brokenLedger struct {
	ledger.Ledger
	mu    sync.Mutex
	fails map[string]int // operation → calls that fail
}

func (l *brokenLedger) broken(op string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails[op] == 0 {
		return nil
	}
	l.fails[op]--
	return fault.New(fault.LedgerUnavailable, "made to fail by the test")
}

func (l *brokenLedger) OpenBatch(ctx context.Context, b ledger.Batch) (ledger.Batch, bool, error) {
	if err := l.broken("open"); err != nil {
		return b, false, err
	}
	stored, existed, err := l.Ledger.OpenBatch(ctx, b)
	if lost := l.broken("opened"); lost != nil {
		err = lost
	}
	return stored, existed, err
}

func (l *brokenLedger) Accept(
	ctx context.Context,
	b ledger.Batch,
	rows []intake.Candidate,
	terms ledger.Terms,
) ([]ledger.Receipt, error) {
	if err := l.broken("accept"); err != nil {
		return nil, err
	}
	receipts, err := l.Ledger.Accept(ctx, b, rows, terms)
	if lost := l.broken("accepted"); lost != nil {
		err = lost
	}
	return receipts, err
}

func (l *brokenLedger) CloseBatch(ctx context.Context, b ledger.Batch) error {
	if err := l.broken("close"); err != nil {
		return err
	}
	err := l.Ledger.CloseBatch(ctx, b)
	if lost := l.broken("closed"); lost != nil {
		err = lost
	}
	return err
}

func (l *brokenLedger) RecordDeadLetter(ctx context.Context, deadLetter ledger.DeadLetter) error {
	if err := l.broken("record"); err != nil {
		return err
	}
	return l.Ledger.RecordDeadLetter(ctx, deadLetter)
}

// The ledger fails at every step in turn. The message comes again, and the end is the same.
func TestQueueAndABrokenLedger(t *testing.T) {
	t.Parallel()
	onEachBus(t, func(t *testing.T, x *exchange) {
		broken := &brokenLedger{Ledger: x.ledger, fails: map[string]int{}}
		x.ledger = broken
		r := x.run(t, collector.Config{Intake: collector.Intake{Chunk: 2}})
		for i, op := range []string{"open", "opened", "accept", "accepted", "close", "closed"} {
			broken.mu.Lock()
			broken.fails[op] = 1
			broken.mu.Unlock()
			seed := uint64(10 * i)
			x.send(t, contosoA, op, marshal(t, list(made(t, seed+1), made(t, seed+2), made(t, seed+3), "bad")))
			b := r.taken(t, "oem-a", op)
			if b.Rows != 4 || b.Outcomes["accepted"] != 3 || b.Outcomes["rejected"] != 1 || b.States["collected"] != 3 {
				t.Errorf("%s: %+v", op, b)
			}
			if broken.broken(op) != nil {
				t.Errorf("%s did not fail", op)
			}
		}
		broken.mu.Lock()
		broken.fails["record"] = 1
		broken.mu.Unlock()
		x.send(t, contosoA, "bad", []byte("no JSON"))
		r.deadLetters(t, 1)
	})
}

// forgetful loses the first outcomes of a handler, as a process does that dies before it acknowledges.
type forgetful struct {
	broker.Broker
	mu   sync.Mutex
	left int
	lost []string
}

func (f *forgetful) Consume(ctx context.Context, sub broker.Subscription, h broker.Handler) error {
	return f.Broker.Consume(ctx, sub, func(ctx context.Context, d broker.Delivery) broker.Outcome {
		outcome := h(ctx, d)
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.left == 0 || outcome != broker.Acknowledge() {
			return outcome
		}
		f.left--
		f.lost = append(f.lost, d.Headers[broker.AttrID])
		return broker.RetryAfter(0)
	})
}

func TestCrashBetweenLedgerAndAcknowledgement(t *testing.T) {
	t.Parallel()
	onEachBus(t, func(t *testing.T, x *exchange) {
		f := &forgetful{Broker: x.broker, left: 2}
		x.broker = f
		r := x.run(t, collector.Config{})
		x.send(t, contosoA, "one", marshal(t, made(t, 1)))
		b := r.taken(t, "oem-a", "one")
		awaittest.True(t, "the message was not delivered again", func(context.Context) bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.left == 0
		})
		x.send(t, contosoA, "two", marshal(t, made(t, 2)))
		r.taken(t, "oem-a", "two")
		r.stop()
		r.wait(t)
		if !slices.Equal(f.lost, []string{"one", "one"}) {
			t.Errorf("acknowledgements lost: %v", f.lost)
		}
		rows, err := x.ledger.Rows(t.Context(), "contoso", b.ID, ledger.RowQuery{})
		if err != nil || len(rows) != 1 || rows[0].Outcome != device.Accepted {
			t.Fatal(rows, err)
		}
		timeline, err := x.ledger.Timeline(t.Context(), "contoso", rows[0].Device)
		if err != nil || len(timeline) != 1 {
			t.Errorf("%+v %v", timeline, err)
		}
	})
}

// An operator corrects what stood in the way, and sends the message again: it goes on under its sender's id.
func TestReplayOfAMessage(t *testing.T) {
	t.Parallel()
	onEachBus(t, func(t *testing.T, x *exchange) {
		r := x.run(t, collector.Config{Queues: collector.Queues{MaxDevices: 2}})
		x.send(t, contosoA, "order 3", marshal(t, list(made(t, 1), made(t, 2), made(t, 3))))
		deadLetter := r.deadLetters(t, 1)[0]
		r.stop()
		r.wait(t)
		r = x.run(t, collector.Config{})
		var done struct {
			Results []struct{ Outcome, Code, Detail string }
		}
		for range 2 {
			awaittest.True(t, "the queue is not consumed yet", func(context.Context) bool {
				r.call(
					t,
					http.MethodPost,
					"/v1/dead-letters/replay",
					key,
					map[string]any{"ids": []string{deadLetter.ID}, "reason": "limit raised"},
					&done,
				)
				return len(done.Results) == 1 && done.Results[0].Code != string(fault.BrokerUnavailable) &&
					done.Results[0].Code != string(fault.RequestNotFound)
			})
			if b := r.taken(t, "oem-a", "order 3"); b.Outcomes["accepted"] != 3 || b.Name != "order 3" {
				t.Errorf("%+v", b)
			}
		}
		if done.Results[0].Outcome != "failed" || done.Results[0].Code != string(fault.DeviceNotReplayable) {
			t.Errorf("a second replay: %+v", done)
		}
		r.deadLetters(t, 0)
	})
}

// The tenant is that of the queue, whatever a message says or is called.
func TestQueuesOfOtherTenants(t *testing.T) {
	t.Parallel()
	onEachBus(t, func(t *testing.T, x *exchange) {
		r := x.run(t, collector.Config{})
		for i, queue := range queues {
			x.send(t, queue, "1", marshal(t, made(t, uint64(i+1))))
		}
		r.taken(t, "oem-a", "1")
		r.taken(t, "oem-b", "1")
		awaittest.True(t, "fabrikam's message is not taken in", func(context.Context) bool {
			b, ok := r.find(t, fabrikamKey, "oem-a", "1")
			return ok && b.State == string(ledger.Complete)
		})
		for i, owner := range []device.TenantID{"contoso", "contoso", "fabrikam"} {
			serial := device.NewSerial(made(t, uint64(i+1))["serialNumber"].(string))
			for _, id := range x.tenants.IDs() {
				found, err := x.ledger.BySerial(t.Context(), id, serial)
				if err != nil || (len(found) == 1) != (id == owner) {
					t.Errorf("device %d of %s: %s has %d: %v", i+1, owner, id, len(found), err)
				}
			}
		}
	})
}

// An id stands for one content.
func TestAnIDUsedTwice(t *testing.T) {
	t.Parallel()
	onEachBus(t, func(t *testing.T, x *exchange) {
		x.idName = "ce-id" // the broker itself remembers the other one
		r := x.run(t, collector.Config{})
		var first, second, third struct {
			Message, ID, State, Code string
			Repeated                 bool
			Outcomes                 map[string]int
		}
		decode := func(into any, body []byte) {
			if err := json.Unmarshal(body, into); err != nil {
				t.Fatal(err)
			}
		}
		decode(&first, x.ask(t, contosoA, "order 1", marshal(t, list(made(t, 1), made(t, 2)))))
		if first.Message != "order 1" || first.State != "complete" || first.Outcomes["accepted"] != 2 ||
			first.Repeated {
			t.Errorf("%+v", first)
		}
		decode(&second, x.ask(t, contosoA, "order 1", marshal(t, list(made(t, 1), made(t, 2)))))
		if !second.Repeated || second.ID != first.ID || second.Outcomes["accepted"] != 2 {
			t.Errorf("%+v", second)
		}
		decode(&third, x.ask(t, contosoA, "order 1", marshal(t, made(t, 3))))
		if third.Code != string(fault.RequestConflict) || third.Message != "order 1" {
			t.Errorf("%+v", third)
		}
		if l := r.deadLetters(t, 1); l[0].Code != string(fault.RequestConflict) {
			t.Errorf("%+v", l)
		}
	})
}
