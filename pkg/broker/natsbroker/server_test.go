package natsbroker

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"taxiway.example/pkg/fault"
)

func TestDirectoryHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := Embedded(dir, ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Embedded(dir, ServerOptions{})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "process") || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second owner was told %v", err)
	}
	if first.URL() != "" {
		t.Errorf("it listens on %s though nobody asked", first.URL())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Embedded(dir, ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestOtherProcessesConnectByURL(t *testing.T) {
	t.Parallel()
	srv, err := Embedded(t.TempDir(), ServerOptions{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := Connect(t.Context(), srv.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(t.Context(), nc, Options{Server: srv})
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
