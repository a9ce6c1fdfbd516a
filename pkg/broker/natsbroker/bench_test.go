package natsbroker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/event"
	"taxiway.example/pkg/natsserver"
)

// The benchmarks run the floor (raw JetStream calls on the same server, same sizes, same durability) and the adapter
// one after the other in the same run and report the ratio; absolute numbers depend on the disk.

func benchBroker(b *testing.B) *Broker {
	b.Helper()
	srv, err := natsserver.Start(b.TempDir(), natsserver.Options{})
	if err != nil {
		b.Fatal(err)
	}
	nc, err := Connect(b.Context(), "", nil, srv.InProcess()...)
	if err != nil {
		b.Fatal(err)
	}
	br, err := New(b.Context(), nc, Options{MaxBytes: 4 << 30})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(br.Close(context.WithoutCancel(b.Context())), srv.Close()); err != nil {
			b.Error(err)
		}
	})
	return br
}

// chunkEvents returns messages that name 100 devices each, about 4 KB.
func chunkEvents(b *testing.B, n int) []broker.Message {
	b.Helper()
	ids := make([]string, event.MaxChunk)
	for i := range ids {
		ids[i] = fmt.Sprintf("0193f3a1-0000-7000-8000-%012d", i)
	}
	list := make([]broker.Message, n)
	for i := range list {
		e := event.ForDevices(event.DevicesCollected, "/bench", "contoso", ids, time.Now())
		attrs, body, err := event.Encode(e)
		if err != nil {
			b.Fatal(err)
		}
		list[i] = broker.Message{ID: e.ID, Type: string(e.Type), Tenant: "contoso", Headers: attrs, Body: body}
	}
	return list
}

// rawPublish is the floor of publishing: pipelined calls, one wait for all.
func rawPublish(b *testing.B, br *Broker, messages []broker.Message) {
	b.Helper()
	futures := make([]jetstream.PubAckFuture, len(messages))
	for i, m := range messages {
		msg := &nats.Msg{
			Subject: eventSubject(broker.Message{Type: m.Type, Tenant: m.Tenant}),
			Data:    m.Body,
			Header:  nats.Header{jetstream.MsgIDHeader: {m.ID}},
		}
		var err error
		if futures[i], err = br.js.PublishMsgAsync(msg); err != nil {
			b.Fatal(err)
		}
	}
	for _, f := range futures {
		select {
		case <-f.Ok():
		case err := <-f.Err():
			b.Fatal(err)
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{1, 64} {
		b.Run(fmt.Sprintf("messages=%d", size), func(b *testing.B) {
			br := benchBroker(b)
			var floor, ours time.Duration
			for b.Loop() {
				b.StopTimer()
				raw := chunkEvents(b, size)
				own := chunkEvents(b, size)
				b.StartTimer()
				start := time.Now()
				rawPublish(b, br, raw)
				floor += time.Since(start)
				start = time.Now()
				if err := br.Publish(b.Context(), own...); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(start)
			}
			b.ReportMetric(floor.Seconds()/ours.Seconds(), "of-floor")
			b.ReportMetric(float64(b.N*size)/ours.Seconds(), "msgs/s")
		})
	}
}

func BenchmarkConsume(b *testing.B) {
	const n, concurrency = 2000, 16
	br := benchBroker(b)
	var floor, ours time.Duration
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		sub := broker.Subscription{Name: fmt.Sprint("bench", i), Type: "devices.collected.v1", Concurrency: concurrency}
		raw := rawConsumer(b, br, fmt.Sprint("floor", i))
		for range n / 100 {
			rawPublish(b, br, chunkEvents(b, 100))
		}
		b.StartTimer()
		start := time.Now()
		rawConsume(b, raw, n)
		floor += time.Since(start)

		var handled atomic.Int64
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan struct{})
		start = time.Now()
		var end time.Time
		go func() {
			defer close(done)
			_ = br.Consume(ctx, sub, func(context.Context, broker.Delivery) broker.Outcome {
				if handled.Add(1) == n {
					end = time.Now()
					cancel()
				}
				return broker.Acknowledge()
			})
		}()
		<-done
		ours += end.Sub(start)
		b.StopTimer()
		stream, err := br.js.Stream(b.Context(), workStream)
		if err == nil {
			err = stream.Purge(b.Context())
		}
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(floor.Seconds()/ours.Seconds(), "of-floor")
	b.ReportMetric(float64(b.N*n)/ours.Seconds(), "msgs/s")
}

func rawConsumer(b *testing.B, br *Broker, name string) jetstream.Consumer {
	b.Helper()
	c, err := br.js.CreateConsumer(b.Context(), workStream, jetstream.ConsumerConfig{
		Durable: name, AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: minAckPending,
		FilterSubjects: []string{"taxiway.ev.devices.collected.v1.bulk.*", "taxiway.to." + name},
	})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// rawConsume is the floor of consuming: the largest useful fetches, acknowledgements that nobody waits for.
func rawConsume(b *testing.B, c jetstream.Consumer, n int) {
	b.Helper()
	for n > 0 {
		batch, err := c.Fetch(min(n, 200), jetstream.FetchMaxWait(5*time.Second))
		if err != nil {
			b.Fatal(err)
		}
		for m := range batch.Messages() {
			if err := m.Ack(); err != nil {
				b.Fatal(err)
			}
			n--
		}
	}
}
