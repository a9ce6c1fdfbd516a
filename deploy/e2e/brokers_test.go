package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taxiway.example/pkg/broker/sbbroker/simulated"
	"taxiway.example/pkg/broker/sbbroker/simulator"
	wiring "taxiway.example/pkg/engine"
	"taxiway.example/pkg/natsserver"
)

// natsEmbedded is a server that lives and dies with the pipeline.
func natsEmbedded(t *testing.T) site {
	store := filepath.Join(t.TempDir(), "broker")
	return site{broker: "nats+embedded:" + store, store: store}
}

// natsServer is a server in this process for pipelines in this and in other processes.
func natsServer(t *testing.T) site {
	t.Helper()
	store := t.TempDir()
	srv, err := natsserver.Start(store, natsserver.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("nats-server: %v", err)
		}
	})
	return site{
		broker: srv.URL(),
		store:  store,
		purge:  func(ctx context.Context) error { return purgeStreams(ctx, srv) },
	}
}

// purgeStreams empties all streams.
func purgeStreams(ctx context.Context, srv *natsserver.Server) error {
	nc, err := nats.Connect("", srv.InProcess()...)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	names := js.StreamNames(ctx)
	var all []string
	for name := range names.Name() {
		all = append(all, name)
	}
	if err := names.Err(); err != nil || len(all) == 0 {
		return errors.Join(errors.New("no stream to purge: "+strings.Join(all, " ")), err)
	}
	for _, name := range all {
		stream, err := js.Stream(ctx, name)
		if err == nil {
			err = stream.Purge(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bus is a simulated Service Bus namespace in this process.
type bus struct {
	server  *simulator.Server
	address string // stays the same
}

// busKey opens simulated namespaces and nothing else.
const busKey = "bm90aGluZyBpcyBoaWRkZW4gYmVoaW5kIHRoaXMga2V5"

func serviceBus(t *testing.T) site {
	t.Helper()
	b := &bus{address: "127.0.0.1:0"}
	if err := b.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.server.Close(); err != nil {
			t.Errorf("simulated namespace: %v", err)
		}
	})
	file := filepath.Join(t.TempDir(), "connection-string")
	if err := os.WriteFile(file, []byte(b.server.ConnectionString()), 0o600); err != nil {
		t.Fatal(err)
	}
	return site{broker: "servicebus+file:" + file, purge: b.purge}
}

func (b *bus) open(ctx context.Context) error {
	var err error
	b.server, err = simulator.New(simulated.Topology(wiring.ServiceBusTopology()), simulator.WithKey(busKey))
	if err != nil {
		return err
	}
	if err := b.server.Listen(context.WithoutCancel(ctx), b.address); err != nil {
		return err
	}
	_, endpoint, _ := strings.Cut(b.server.ConnectionString(), "Endpoint=sb://")
	b.address, _, _ = strings.Cut(endpoint, ";")
	return nil
}

// purge puts an empty namespace in the place of the one that was there.
func (b *bus) purge(ctx context.Context) error {
	if err := b.server.Close(); err != nil {
		return err
	}
	return b.open(ctx)
}
