package natsbroker

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/natsserver"
)

func TestOtherProcessesConnectByURL(t *testing.T) {
	t.Parallel()
	srv, err := natsserver.Start(t.TempDir(), natsserver.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	nc, err := Connect(t.Context(), srv.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(t.Context(), nc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.closing(t)
	mustPublish(t, b, work("a"))
	if err := b.Health(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // takes connections and says nothing
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Connect(ctx, "nats://"+l.Addr().String(), nil); fault.CodeOf(err) != fault.BrokerUnavailable {
		t.Errorf("got %v", err)
	}
}

// gate is the authentication of a server; while it is shut everybody is refused.
type gate struct {
	shut    atomic.Bool
	refused atomic.Int32
}

// Check implements server.Authentication.
func (g *gate) Check(server.ClientAuthentication) bool {
	if g.shut.Load() {
		g.refused.Add(1)
		return false
	}
	return true
}

func guarded(t *testing.T, g *gate) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, CustomClientAuthentication: g,
		JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 8 << 30,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server does not start")
	}
	return s
}

// lines is a log whose lines can be waited for.
type lines chan string

// Write implements io.Writer.
func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func logged() (*slog.Logger, lines) {
	l := make(lines, 1000)
	return slog.New(slog.NewTextHandler(l, nil)), l
}

// Refused sign-ins end no connection: what checks them may be away for a moment.
func TestRefusedForAWhile(t *testing.T) {
	t.Parallel()
	g := new(gate)
	s := guarded(t, g)
	log, lines := logged()
	nc, err := Connect(t.Context(), s.ClientURL(), log)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(t.Context(), nc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.closing(t)
	clients, err := s.Connz(nil)
	if err != nil {
		t.Fatal(err)
	}
	g.shut.Store(true)
	for _, c := range clients.Conns {
		if err := s.DisconnectClientByID(c.Cid); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "it was refused three times", func() bool { return g.refused.Load() >= 3 || nc.IsClosed() })
	g.shut.Store(false)
	mustPublish(t, b, work("a"))
	for _, says := range []string{"was lost", "authorization violation", "is back"} {
		for !strings.Contains(strings.ToLower(next(t, lines)), says) {
			continue // next fails when it never comes
		}
	}
}

// Who is refused at the start waits, and says what for.
func TestRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	g := new(gate)
	g.shut.Store(true)
	log, lines := logged()
	connected := make(chan error, 1)
	s := guarded(t, g)
	go func() {
		nc, err := Connect(t.Context(), strings.Replace(s.ClientURL(), "nats://", "nats://taxi:s3cret@", 1), log)
		if err == nil {
			nc.Close()
		}
		connected <- err
	}()
	if line := next(t, lines); !strings.Contains(strings.ToLower(line), "authorization violation") ||
		!strings.Contains(line, s.Addr().String()) ||
		strings.Contains(line, "s3cret") {
		t.Errorf("the log says %q", line)
	}
	g.shut.Store(false)
	if err := next(t, connected); err != nil {
		t.Error(err)
	}
}
