package allinone_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"taxiway.example/cmd/allinone"
	"taxiway.example/cmd/demofile"
	"taxiway.example/cmd/internal/watch"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/api/client"
	autopilot "taxiway.example/pkg/autopilot/simulator"
	"taxiway.example/pkg/awaittest"
	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/broker/sbbroker/simulated"
	"taxiway.example/pkg/engine"
	"taxiway.example/pkg/service"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
)

// TestBrokerTraffic counts what 1,000 rows cost on each broker; docs/brokers.md quotes it. The timings are the quick
// ones of the demo, which look at waiting devices more often than production does, so that the numbers are upper
// bounds.
func TestBrokerTraffic(t *testing.T) {
	t.Parallel()
	const rows = 1000
	file, err := demofile.Generate(rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "broker\tmessages\tKB\tdeliveries\tof them again\toperations\tcredits\t")
	var namespace *simulated.Namespace
	for name, open := range map[string]func(*testing.T) string{
		"nats": func(t *testing.T) string { t.Helper(); return "nats+embedded:" + filepath.Join(t.TempDir(), "broker") },
		"servicebus": func(t *testing.T) string {
			t.Helper()
			n, err := simulated.Start(t.Context(), engine.ServiceBusTopology(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = n.Close() })
			namespace = n
			return n.Address
		},
	} {
		namespace = nil
		m := run(t, file, open(t))
		operations := "-"
		credits := "-"
		if namespace != nil {
			o := namespace.Operations()
			operations = fmt.Sprint(o.Sent + o.Delivered + o.Settled + o.Renewed + o.Peeked)
			credits = fmt.Sprint(o.Credits())
			t.Logf("%+v", o)
			if o.Credits() > 3*rows {
				t.Errorf("%d credits for %d rows: events do not carry chunks any more", o.Credits(), rows)
			}
		}
		fmt.Fprintf(
			w,
			"%s\t%d\t%d\t%d\t%d\t%s\t%s\t\n",
			name,
			m.published.Load(),
			m.bytes.Load()>>10,
			m.delivered.Load(),
			m.again.Load(),
			operations,
			credits,
		)
		if n := m.published.Load(); n > rows/2 {
			t.Errorf("%d messages for %d rows on %s: events do not carry chunks any more", n, rows, name)
		}
	}
	if err := w.Flush(); err != nil {
		t.Error(err)
	}
	t.Logf("%d rows from intake to ready:\n%s", rows, &table)
}

// meter counts what passes the seam.
type meter struct {
	broker.Broker
	published, bytes, delivered, again atomic.Int64
}

func (m *meter) Publish(ctx context.Context, messages ...broker.Message) error {
	for _, msg := range messages {
		m.published.Add(1)
		m.bytes.Add(int64(len(msg.Body)))
		for name, value := range msg.Headers {
			m.bytes.Add(int64(len(name) + len(value)))
		}
	}
	return m.Broker.Publish(ctx, messages...)
}

func (m *meter) Consume(ctx context.Context, sub broker.Subscription, h broker.Handler) error {
	return m.Broker.Consume(ctx, sub, func(ctx context.Context, d broker.Delivery) broker.Outcome {
		m.delivered.Add(1)
		if d.Attempt > 1 {
			m.again.Add(1)
		}
		return h(ctx, d)
	})
}

// run takes the file through the pipeline on the broker at the address.
func run(t *testing.T, file *demofile.File, address string) *meter {
	t.Helper()
	ctx := t.Context()
	o := autopilot.Fast()
	o.Limits = autopilot.Defaults().Limits
	sim, err := allinone.Simulate(ctx, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	tn, err := sim.AddTenant("contoso", 1, t.TempDir(), demofile.Tags...)
	if err != nil {
		t.Fatal(err)
	}
	tn.Keys = []tenant.Key{{Name: "test", SHA256: tenant.Hash("key"), Operator: true}}
	tenants, err := tenant.NewDirectory(tn)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{}
	c := allinone.Config{
		Ledger: "sqlite:" + filepath.Join(t.TempDir(), "ledger.db"), Broker: address, Tenants: tenants, Listener: ln,
		Hooks: allinone.Hooks{Broker: func(b broker.Broker) broker.Broker { m.Broker = b; return m }},
	}
	env := service.Env{
		Logger:   slog.New(slog.DiscardHandler),
		Registry: telemetry.NewRegistry(),
		Health:   new(telemetry.Health),
		Now:      time.Now,
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- allinone.Run(running, c.Quick(), env) }()
	follow(ctx, t, "http://"+ln.Addr().String(), file)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return m
}

// follow sends the file and waits for the end of all its devices.
func follow(ctx context.Context, t *testing.T, url string, file *demofile.File) {
	t.Helper()
	server, err := client.New(url, "key")
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := server.Submit(ctx, bytes.NewReader(file.CSV), client.Upload{Name: "file.csv"})
	if err != nil {
		t.Fatal(err)
	}
	batch := awaittest.State(t, "the end of the batch", func(ctx context.Context) (api.Batch, bool) {
		b, err := server.Batch(ctx, receipt.ID)
		return b, err == nil && b.Done
	})
	if !watch.AddsUp(batch) {
		t.Fatalf("%+v", batch)
	}
}
