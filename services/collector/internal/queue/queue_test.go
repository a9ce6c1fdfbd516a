package queue

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/collector/internal/collect"
)

// odd is a broker that refuses one of the queues for a while.
type odd struct {
	broker.Consumer
	mu       sync.Mutex
	consumed []string
	refusals int
}

func (o *odd) Consume(ctx context.Context, sub broker.Subscription, _ broker.Handler) error {
	o.mu.Lock()
	if sub.Type == "inbound.contoso.oem-b" && o.refusals > 0 {
		o.refusals--
		o.mu.Unlock()
		return errors.New("there is no such queue")
	}
	o.consumed = append(o.consumed, sub.Type)
	o.mu.Unlock()
	<-ctx.Done()
	return nil
}

func directory(t *testing.T) *tenant.Directory {
	t.Helper()
	of := func(id string, sources ...string) tenant.Tenant {
		tn := tenant.Tenant{
			EntraTenantID: "6f1d7f0a-0000-4000-8000-000000000001", ClientID: "6f1d7f0a-0000-4000-8000-000000000002",
			Credential: tenant.Credential{SecretEnv: "NONE"},
		}
		tn.ID = device.TenantID(id)
		for _, s := range sources {
			tn.Queues = append(tn.Queues, tenant.Queue{Source: s})
		}
		return tn
	}
	d, err := tenant.NewDirectory(of("contoso", "oem-a", "oem-b"), of("fabrikam", "oem-a"), of("litware"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A queue that cannot be consumed is tried again, and holds up no other.
func TestEachQueueIsOnItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &odd{refusals: 2}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- New(Config{}, Deps{
				Consumer: b, Tenants: directory(t), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
				Metrics: prometheus.NewRegistry(),
			}).Run(ctx)
		}()
		seen := func() []string {
			synctest.Wait()
			b.mu.Lock()
			defer b.mu.Unlock()
			return slices.Sorted(slices.Values(b.consumed))
		}
		if got := seen(); !slices.Equal(got, []string{"inbound.contoso.oem-a", "inbound.fabrikam.oem-a"}) {
			t.Errorf("at first: %v", got)
		}
		time.Sleep(2 * again)
		if got := seen(); !slices.Equal(
			got,
			[]string{"inbound.contoso.oem-a", "inbound.contoso.oem-b", "inbound.fabrikam.oem-a"},
		) {
			t.Errorf("later: %v", got)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// taking answers every delivery with an error.
type taking struct{ err error }

func (tk taking) Take(context.Context, collect.Delivery) (collect.Result, error) {
	return collect.Result{}, tk.err
}

// The same message, come again while the first delivery is at work, waits; it is not given up for a conflict with
// itself.
func TestAtWorkAlready(t *testing.T) {
	t.Parallel()
	answers := 0
	for code, final := range map[fault.Code]bool{fault.RequestInProgress: false, fault.LedgerUnavailable: false, fault.RequestConflict: true} {
		q := &queue{
			Deps:   Deps{Taker: taking{fault.New(code, "")}, Logger: slog.New(slog.DiscardHandler)},
			config: Config{}.withDefaults(),
		}
		d := broker.Delivery{
			Message: broker.InboundMessage("inbound.contoso.oem-a", "1", []byte("{}")),
			Reply: func(context.Context, []byte) error {
				answers++
				return nil
			},
		}
		err := q.handle(t.Context(), d)
		if fault.CodeOf(err) != code || isFinal(err) != final {
			t.Errorf("%s: %v, final %t", code, err, isFinal(err))
		}
	}
	if answers != 1 {
		t.Errorf("%d answers; only what is decided is told", answers)
	}
}
