package natsbroker

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/brokertest"
)

// backend is an embedded server that can be restarted and whose connections can be cut. It hands connections to clients
// itself, so that they reconnect to whatever server runs now.
type backend struct {
	dir   string
	mu    sync.Mutex
	srv   *Server
	conns []net.Conn
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{dir: t.TempDir()}
	b.start(t)
	t.Cleanup(func() {
		if err := b.srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *backend) start(t *testing.T) {
	t.Helper()
	srv, err := Embedded(b.dir, ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.srv = srv
}

// InProcessConn implements nats.InProcessConnProvider.
func (b *backend) InProcessConn() (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, err := b.srv.ns.InProcessConn()
	if err != nil {
		return nil, errors.Join(nats.ErrNoServers, err)
	}
	b.conns = append(b.conns, c)
	return c, nil
}

func (b *backend) restart(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	err := b.srv.Close()
	b.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	b.start(t)
}

func (b *backend) sever(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.conns {
		_ = c.Close() // some are closed already
	}
	b.conns = nil
}

func (b *backend) open(t *testing.T, o Options) *Broker {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	nc, err := Connect(ctx, "", nats.InProcessServer(b))
	if err != nil {
		t.Fatal(err)
	}
	br, err := New(ctx, nc, o)
	if err != nil {
		t.Fatal(err)
	}
	return br
}

func TestSuite(t *testing.T) {
	t.Parallel()
	brokertest.Run(t, harness)
}

func harness(t *testing.T) brokertest.Harness {
	t.Helper()
	b := newBackend(t)
	return brokertest.Harness{
		Open: func(t *testing.T, _ ...broker.Subscription) broker.Broker {
			t.Helper()
			return b.open(t, Options{})
		},
		Restart: b.restart,
		Sever:   b.sever,
		Dying: func(t *testing.T, _ ...broker.Subscription) broker.Broker {
			t.Helper()
			return b.open(t, Options{onStep: func(s step) {
				if s == stepParked {
					runtime.Goexit()
				}
			}})
		},
		Lease: 2 * time.Second,
	}
}
