package e2e

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"taxiway.example/cmd/allinone"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
)

// Key is the API key of the tenant number n; it may operate.
func Key(n int) string { return fmt.Sprintf("key-%d", n) }

// WithKey gives a tenant its key.
func WithKey(t tenant.Tenant, n int) tenant.Tenant {
	t.Keys = []tenant.Key{{Name: "fixture", SHA256: tenant.Hash(Key(n)), Operator: true}}
	return t
}

// Env is what a pipeline runs in; its log says everything.
func Env(logs io.Writer) service.Env {
	return service.Env{
		Logger:   slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Registry: telemetry.NewRegistry(), Health: new(telemetry.Health), Now: time.Now,
	}
}

// Node is a running pipeline.
type Node struct {
	URL  string
	stop context.CancelFunc
	done chan error
}

// Start runs the pipeline of c in this process; c.Listener is filled in.
func Start(ctx context.Context, c allinone.Config, logs io.Writer) (*Node, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c.Listener = ln
	ctx, stop := context.WithCancel(ctx)
	n := &Node{URL: "http://" + ln.Addr().String(), stop: stop, done: make(chan error, 1)}
	go func() { n.done <- allinone.Run(ctx, c, Env(logs)) }()
	return n, nil
}

// Stop drains the node and returns what Run returned.
func (n *Node) Stop() error {
	n.stop()
	return <-n.done
}
