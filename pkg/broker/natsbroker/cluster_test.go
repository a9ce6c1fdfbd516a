package natsbroker

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/slowness"
)

// cluster starts three servers that replicate.
func cluster(t *testing.T) []*server.Server {
	t.Helper()
	const n = 3
	var routes []string
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = l.Addr().(*net.TCPAddr).Port
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", ports[i]))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	servers := make([]*server.Server, n)
	for i := range servers {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, JetStreamMaxStore: 8 << 30,
			Cluster: server.ClusterOpts{Name: "taxiway", Host: "127.0.0.1", Port: ports[i]},
			Routes:  server.RoutesFromStr(strings.Join(routes, ",")),
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers[i] = s
	}
	eventually(t, "the cluster has a leader", func() bool {
		for _, s := range servers {
			if s.JetStreamIsLeader() {
				return len(s.JetStreamClusterPeers()) == n
			}
		}
		return false
	})
	return servers
}

// TestFailover: the server that leads the stream stops while messages are published and consumed; whatever was
// acknowledged is delivered.
func TestFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: a cluster of three servers takes half a minute")
	}
	t.Parallel()
	servers := cluster(t)
	var urls []string
	for _, s := range servers {
		urls = append(urls, s.ClientURL())
	}
	ctx, cancel := awaittest.Context(t.Context())
	defer cancel()
	nc, err := Connect(ctx, strings.Join(urls, ","), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(ctx, nc, Options{Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	b.closing(t)
	modest(ctx, t, urls)
	got, _ := collect(
		t,
		b,
		broker.Subscription{
			Name:        importer.Name,
			Type:        importer.Type,
			Concurrency: 4,
			Lease:       slowness.Stretch(5 * time.Second),
		},
		broker.Acknowledge(),
	)
	const n = 60
	seen := map[string]bool{}
	for i := range n {
		if i == n/2 {
			stopLeader(t, b, servers)
		}
		id := fmt.Sprint("m", i)
		if err := b.Publish(ctx, work(id)); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		seen[id] = false
	}
	for missing := n; missing > 0; {
		if id := next(t, got).ID; !seen[id] {
			seen[id] = true
			missing--
		}
	}
	if state := stored(t, b); state.Msgs != n {
		t.Errorf("%d messages are stored, want %d", state.Msgs, n)
	}
	if err := b.Health(ctx); err != nil {
		t.Error(err)
	}
}

// stopLeader ends the server that leads the work stream.
func stopLeader(t *testing.T, b *Broker, servers []*server.Server) {
	t.Helper()
	s, err := b.js.Stream(t.Context(), workStream)
	if err != nil {
		t.Fatal(err)
	}
	leader := s.CachedInfo().Cluster.Leader
	for _, srv := range servers {
		if srv.Name() == leader {
			srv.Shutdown()
			return
		}
	}
	t.Fatalf("no server %q", leader)
}

// modest opens a broker that says nothing of replicas: it leaves the streams as they are.
func modest(ctx context.Context, t *testing.T, urls []string) {
	t.Helper()
	nc, err := Connect(ctx, strings.Join(urls, ","), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(ctx, nc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.closing(t)
	stream, err := b.js.Stream(ctx, workStream)
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().Config.Replicas; n != 3 {
		t.Errorf("%d replicas", n)
	}
}
