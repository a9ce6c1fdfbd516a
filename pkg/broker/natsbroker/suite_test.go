package natsbroker

import (
	"errors"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/brokertest"
	"taxiway.example/pkg/natsserver"
)

// backend is an embedded server that can be restarted and whose connections can be cut. It hands connections to clients
// itself, so that they reconnect to whatever server runs now.
type backend struct {
	dir   string
	mu    sync.Mutex
	srv   *natsserver.Server
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
	srv, err := natsserver.Start(b.dir, natsserver.Options{})
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
	c, err := b.srv.InProcessConn()
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
	ctx, cancel := awaittest.Context(t.Context())
	defer cancel()
	nc, err := Connect(ctx, "", nil, nats.InProcessServer(b))
	if err != nil {
		t.Fatal(err)
	}
	br, err := New(ctx, nc, o)
	if err != nil {
		t.Fatal(err)
	}
	return br
}

// openOn returns a broker on a server, both of which end with the test.
func openOn(t *testing.T, srv *natsserver.Server) *Broker {
	t.Helper()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	nc, err := Connect(t.Context(), "", nil, srv.InProcess()...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(t.Context(), nc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return b.closing(t)
}

// sender is a connection as an OEM has it.
func (b *backend) sender(t *testing.T) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return nc, js
}

// foreign publishes to a queue as soon as there is one.
func (b *backend) foreign(t *testing.T, messageType, id string, body []byte) {
	t.Helper()
	_, js := b.sender(t)
	m := &nats.Msg{Subject: "taxiway." + messageType, Data: body, Header: nats.Header{}}
	if id != "" {
		m.Header.Set("Nats-Msg-Id", id)
	}
	eventually(t, "a queue to publish to", func() bool {
		_, err := js.PublishMsg(t.Context(), m)
		if err != nil && !errors.Is(err, jetstream.ErrNoStreamResponse) {
			t.Fatal(err)
		}
		return err == nil
	})
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
				if s == stepDeadLettered {
					runtime.Goexit()
				}
			}})
		},
		Foreign: b.foreign,
		Lease:   2 * time.Second,
	}
}
