package simulator_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker/sbbroker/simulator"
)

// The numbers say that the simulator is not what a pipeline test waits for. They
// say nothing about Azure.

func benchClient(b *testing.B) *azservicebus.Client {
	b.Helper()
	s, err := simulator.New(topology())
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Listen(b.Context(), "127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	c, err := azservicebus.NewClientFromConnectionString(s.ConnectionString(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := awaittest.Context(context.Background())
		defer cancel()
		_ = c.Close(ctx)
		_ = s.Close()
	})
	return c
}

func benchMessages(b *testing.B, n int) *azservicebus.Message {
	b.Helper()
	b.ReportAllocs()
	b.ReportMetric(float64(n), "messages/op")
	return &azservicebus.Message{Body: make([]byte, 1<<10)}
}

func BenchmarkSend(b *testing.B) {
	s, err := benchClient(b).NewSender("plain", nil)
	if err != nil {
		b.Fatal(err)
	}
	m := benchMessages(b, 1)
	for b.Loop() {
		if err := s.SendMessage(b.Context(), m, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSendBatch(b *testing.B) {
	s, err := benchClient(b).NewSender("plain", nil)
	if err != nil {
		b.Fatal(err)
	}
	const n = 100
	m := benchMessages(b, n)
	for b.Loop() {
		batch, err := s.NewMessageBatch(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		for i := range n {
			m.MessageID = ptr(fmt.Sprint(i))
			if err := batch.AddMessage(m, nil); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.SendMessageBatch(b.Context(), batch, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReceiveComplete(b *testing.B) {
	c := benchClient(b)
	s, err := c.NewSender("plain", nil)
	if err != nil {
		b.Fatal(err)
	}
	r, err := c.NewReceiverForQueue("plain", nil)
	if err != nil {
		b.Fatal(err)
	}
	m := benchMessages(b, 1)
	for b.Loop() {
		if err := s.SendMessage(b.Context(), m, nil); err != nil {
			b.Fatal(err)
		}
		got, err := r.ReceiveMessages(b.Context(), 1, nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, m := range got {
			if err := r.CompleteMessage(b.Context(), m, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
}
