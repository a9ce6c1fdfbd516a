package sbbroker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker/simulator"
	"taxiway.example/pkg/event"
)

// The benchmarks run the floor (raw calls of the client library on the same namespace, same messages) and the adapter
// one after the other in the same run and report the ratio. Absolute numbers are those of the simulator and say nothing
// about Azure.

type floor struct {
	br       *Broker
	client   *azservicebus.Client
	sender   *azservicebus.Sender
	receiver *azservicebus.Receiver // of a subscription of its own
}

func newFloor(b *testing.B) *floor {
	b.Helper()
	sub := func(name string) simulator.Subscription {
		return simulator.Subscription{Name: name, Outbox: simulator.Outbox{LockDuration: 5 * time.Minute}}
	}
	topic := func(typ string) simulator.Topic {
		return simulator.Topic{
			Name:          Topology{}.Name(typ, broker.Bulk),
			Inbox:         simulator.Inbox{DuplicateWindow: DuplicateWindow, MaxSizeInMegabytes: 80_000},
			Subscriptions: []simulator.Subscription{sub("bench")},
		}
	}
	srv, err := simulator.New(simulator.Topology{Topics: []simulator.Topic{topic("ours"), topic("floor")}})
	if err == nil {
		err = srv.Listen(context.WithoutCancel(b.Context()), "127.0.0.1:0")
	}
	if err != nil {
		b.Fatal(err)
	}
	f := &floor{}
	top := Topology{Topics: []Topic{{Type: "ours", Subscriptions: []string{"bench"}}}}
	client, err := azservicebus.NewClientFromConnectionString(srv.ConnectionString(), ClientOptions())
	if err == nil {
		f.br, err = New(b.Context(), client, Options{Topology: top})
	}
	if err == nil {
		f.client, err = azservicebus.NewClientFromConnectionString(srv.ConnectionString(), ClientOptions())
	}
	if err == nil {
		f.sender, err = f.client.NewSender(Topology{}.Name("floor", broker.Bulk), nil)
	}
	if err == nil {
		f.receiver, err = f.client.NewReceiverForSubscription(Topology{}.Name("floor", broker.Bulk), "bench", nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx := context.WithoutCancel(b.Context())
		_ = f.client.Close(ctx)
		_ = f.br.Close(ctx)
		_ = srv.Close()
	})
	return f
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
		list[i] = broker.Message{ID: e.ID, Type: "ours", Tenant: "contoso", Headers: attrs, Body: body}
	}
	return list
}

// publish is the floor of publishing: the same messages in as few batches.
func (f *floor) publish(b *testing.B, messages []broker.Message) {
	b.Helper()
	encoded := make([]*azservicebus.Message, len(messages))
	for i, m := range messages {
		encoded[i] = f.br.encode(broker.Delivery{Message: m})
	}
	for len(encoded) > 0 {
		batch, err := f.sender.NewMessageBatch(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		n, err := fill(batch, encoded)
		if err == nil {
			err = f.sender.SendMessageBatch(b.Context(), batch, nil)
		}
		if err != nil {
			b.Fatal(err)
		}
		encoded = encoded[n:]
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{1, 64} {
		b.Run(fmt.Sprintf("messages=%d", size), func(b *testing.B) {
			f := newFloor(b)
			var raw, ours time.Duration
			for b.Loop() {
				b.StopTimer()
				first := chunkEvents(b, size)
				second := chunkEvents(b, size)
				b.StartTimer()
				start := time.Now()
				f.publish(b, first)
				raw += time.Since(start)
				start = time.Now()
				if err := f.br.Publish(b.Context(), second...); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(start)
			}
			b.ReportMetric(raw.Seconds()/ours.Seconds(), "of-floor")
			b.ReportMetric(float64(b.N*size)/ours.Seconds(), "msgs/s")
		})
	}
}

func BenchmarkConsume(b *testing.B) {
	const n, concurrency = 2000, 16
	f := newFloor(b)
	var raw, ours time.Duration
	for b.Loop() {
		b.StopTimer()
		for range n / 100 {
			f.publish(b, chunkEvents(b, 100))
			if err := f.br.Publish(b.Context(), chunkEvents(b, 100)...); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		start := time.Now()
		f.consume(b, n, concurrency)
		raw += time.Since(start)
		ours += f.consumeOurs(b, n, concurrency)
	}
	b.ReportMetric(raw.Seconds()/ours.Seconds(), "of-floor")
	b.ReportMetric(float64(b.N*n)/ours.Seconds(), "msgs/s")
}

// consume is the floor of consuming: as many at once as handlers are free, each completed by a goroutine of its own.
func (f *floor) consume(b *testing.B, n, concurrency int) {
	b.Helper()
	done := make(chan error, n)
	room := make(chan struct{}, concurrency)
	for came := 0; came < n; {
		got, err := f.receiver.ReceiveMessages(b.Context(), max(1, concurrency-len(room)), nil)
		if err != nil {
			b.Fatal(err)
		}
		came += len(got)
		for _, m := range got {
			room <- struct{}{}
			go func() {
				done <- f.receiver.CompleteMessage(b.Context(), m, nil)
				<-room
			}()
		}
	}
	for range n {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

func (f *floor) consumeOurs(b *testing.B, n, concurrency int) time.Duration {
	b.Helper()
	handled := make(chan struct{}, n)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	start := time.Now()
	go func() {
		ended <- f.br.Consume(ctx, broker.Subscription{Name: "bench", Type: "ours", Concurrency: concurrency}, func(context.Context, broker.Delivery) broker.Outcome {
			handled <- struct{}{}
			return broker.Acknowledge()
		})
	}()
	for range n {
		<-handled
	}
	took := time.Since(start)
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	return took
}
