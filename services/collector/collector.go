// Package collector is the service that takes devices in: from files and devices over HTTP and from message queues to rows
// committed in the ledger, and to events that name the devices accepted.
package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"taxiway.example/pkg/broker"
	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/pipeline"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
	"taxiway.example/services/collector/internal/collect"
	"taxiway.example/services/collector/internal/httpapi"
	"taxiway.example/services/collector/internal/queue"
)

// Limits bound what clients of the API may do; zero fields take the defaults.
type Limits = httpapi.Config

// Intake is how rows are taken in; zero fields take the defaults.
type Intake = collect.Config

// Queues bound what senders may put into message queues; zero fields take the defaults.
type Queues = queue.Config

// Config is the configuration of the service.
type Config struct {
	Addr      string        // address of the API; default 127.0.0.1:8080
	Intake    Intake        //
	Limits    Limits        //
	Queues    Queues        //
	Shutdown  time.Duration // for requests at work when the service stops; default 25 s
	Retention time.Duration // of hashes once their device is ready or retired; default 30 days, < 0 = for ever
}

// Ledger is what the service needs of the ledger.
type Ledger interface {
	collect.Ledger
	httpapi.Reader
	deadletter.Ledger
	pipeline.DeadLetters
	ledger.CaptureEraser

	// Health returns nil when the ledger can commit.
	Health(ctx context.Context) error
}

// Broker is what the service needs of the broker.
type Broker interface {
	broker.Publisher
	broker.Consumer
	broker.DeadLetters
}

// Deps are the parts the service works with.
type Deps struct {
	Ledger   Ledger
	Broker   Broker
	Tenants  *tenant.Directory
	Health   *telemetry.Health
	Registry prometheus.Registerer
	Logger   *slog.Logger
	Now      func() time.Time
	Listener net.Listener // optional; otherwise one on Config.Addr
}

// The limits of a connection before its request is known.
const (
	readHeader = 5 * time.Second
	idle       = 2 * time.Minute
	maxHeader  = 16 << 10 // bytes
)

// Run serves the API and the queues until ctx ends. Then it says that it is not ready, takes no new connection and no message,
// lets what is at work finish, and returns nil. Uploads that are still running when the time for that is up break off as if
// the connection had been lost: what was committed stands, and the rest can be sent again.
func Run(ctx context.Context, c Config, d Deps) error {
	taker, err := collect.New(c.Intake, collect.Deps{
		Ledger: d.Ledger, Events: pipeline.NewEmitter(d.Broker), Now: d.Now, Logger: d.Logger, Metrics: d.Registry,
	})
	if err != nil {
		return fmt.Errorf("collector: %w", err)
	}
	api, err := newAPI(c, d, taker)
	if err != nil {
		return fmt.Errorf("collector: %w", err)
	}
	ln, err := listen(ctx, c, d)
	if err != nil {
		return fmt.Errorf("collector: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return serve(ctx, c, d, api, ln) })
	g.Go(func() error {
		return queue.Run(ctx, c.Queues, queue.Deps{
			Taker: taker, Reader: d.Ledger, DeadLetters: d.Ledger, Consumer: d.Broker, Tenants: d.Tenants,
			Now: d.Now, Logger: d.Logger, Metrics: d.Registry,
		})
	})
	g.Go(func() error {
		retain(ctx, c.Retention, d.Ledger, d.Now, d.Logger)
		return nil
	})
	return g.Wait()
}

func listen(ctx context.Context, c Config, d Deps) (net.Listener, error) {
	if d.Listener != nil {
		return d.Listener, nil
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:8080"
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr)
}

func serve(ctx context.Context, c Config, d Deps, api http.Handler, ln net.Listener) error {
	// Requests outlive ctx: they end by themselves, or by cancel when the time for shutting down is up.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var working sync.WaitGroup
	server := &http.Server{
		Handler: counted(api, &working), ReadHeaderTimeout: readHeader, IdleTimeout: idle, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(d.Logger.Handler(), slog.LevelDebug), BaseContext: func(net.Listener) context.Context { return base },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	d.Logger.LogAttrs(ctx, slog.LevelInfo, "collector serves", slog.String("address", ln.Addr().String()))
	select {
	case err := <-served:
		return fmt.Errorf("collector: %w", err)
	case <-ctx.Done():
	}
	d.Health.Drain()
	err := stop(ctx, server, cancel, c.Shutdown, served)
	working.Wait()
	return err
}

// counted lets Run wait for requests whose connection was closed over their heads.
func counted(next http.Handler, working *sync.WaitGroup) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		working.Add(1)
		defer working.Done()
		next.ServeHTTP(w, r)
	})
}

func newAPI(c Config, d Deps, taker httpapi.Taker) (*httpapi.API, error) {
	d.Health.Add("ledger", d.Ledger.Health)
	c.Limits.Operators = append(slices.Clone(c.Limits.Operators), d.Tenants.Operators()...)
	return httpapi.New(c.Limits, httpapi.Deps{
		Taker: taker, Reader: d.Ledger, Tenants: d.Tenants, Health: d.Health, Now: d.Now, Logger: d.Logger, Metrics: d.Registry,
		DeadLetters: deadletter.New(deadletter.Deps{Ledger: d.Ledger, Queues: d.Broker, Now: d.Now, Logger: d.Logger}),
	})
}

const defaultShutdown = 25 * time.Second

func stop(ctx context.Context, server *http.Server, cancel context.CancelFunc, patience time.Duration, served <-chan error) error {
	if patience <= 0 {
		patience = defaultShutdown
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer done()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		cancel()
		err = server.Close()
	}
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("collector: stop: %w", err)
	}
	return nil
}
