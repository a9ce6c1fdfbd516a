// Package httpapi is the HTTP API of the collector, described in docs/api/openapi.yaml: batches and devices in, their
// status out, and what operators decide about dead letters and held devices.
//
// Who a request is for comes from its key and from nothing else; auth.go is the one place that decides it. Whatever
// goes wrong is answered as problem details (RFC 9457) with a code of the fault catalogue, and never with a value of a
// cell.
package httpapi

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/deadletter"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/telemetry"
	"taxiway.example/pkg/tenant"
	"taxiway.example/pkg/validate"
	"taxiway.example/services/collector/internal/collect"
)

// Config bounds what a client may do; zero fields take the defaults.
type Config struct {
	MaxBody     int64         // bytes of a batch on the wire; default 10 GiB: a million rows in UTF-16
	MaxInflated int64         // bytes of a batch once decompressed; default 10 GiB
	MaxRatio    int64         // bytes out for each byte in, once a body has inflated to 8 MiB; default 200
	MaxDevice   int64         // bytes of a JSON body; default 64 KiB
	MaxRows     int           // rows of a file; default 1,000,000
	Timeout     time.Duration // for anything but a transfer; default 30 s
	Idle        time.Duration // a transfer that does not move for so long is given up; default 60 s
	Poll        time.Duration // the Retry-After of what is still moving; default 5 s
	Rate        float64       // requests a second with one key; 0 = no limit
	Burst       int           // requests at once with one key; default twice the Rate
	Uploads     int           // device lists being taken in at once with one key; default 8
	Operators   []tenant.Key  // keys of no tenant, which see and replay the dead letters of all of them
}

func (c Config) withDefaults() Config {
	const gib = 1 << 30
	c.MaxBody = cmp.Or(max(c.MaxBody, 0), 10*gib)
	c.MaxInflated = cmp.Or(max(c.MaxInflated, 0), 10*gib)
	c.MaxRatio = cmp.Or(max(c.MaxRatio, 0), 200)
	c.MaxDevice = cmp.Or(max(c.MaxDevice, 0), 64<<10)
	c.Timeout = cmp.Or(max(c.Timeout, 0), 30*time.Second)
	c.Idle = cmp.Or(max(c.Idle, 0), time.Minute)
	c.Poll = cmp.Or(max(c.Poll, 0), 5*time.Second)
	c.Burst = cmp.Or(max(c.Burst, 0), max(1, int(2*c.Rate)))
	c.Uploads = cmp.Or(max(c.Uploads, 0), 8)
	return c
}

// Taker takes deliveries in.
type Taker interface {
	Take(ctx context.Context, d collect.Delivery) (collect.Result, error)
}

// Reader answers questions about what was taken in.
type Reader interface {
	ledger.BatchReader
	ledger.BatchFinder
	ledger.DeviceReader
	ledger.Timeline
}

// Tenants are the tenants whose keys count.
type Tenants interface {
	All() []tenant.Tenant
}

// Deps are the parts the API works with.
type Deps struct {
	Taker       Taker
	Reader      Reader
	DeadLetters *deadletter.Service // carries out what operators decide
	Tenants     Tenants
	Health      *telemetry.Health
	Now         func() time.Time
	Logger      *slog.Logger
	Metrics     prometheus.Registerer
}

// API serves the routes.
type API struct {
	Deps

	config  Config
	keys    access.Keyring
	rules   *validate.Validator
	limits  *limiter
	metrics metrics
	mux     *http.ServeMux
}

// permission is who may use a route.
type permission int

const (
	public         permission = iota // anybody
	sender                           // any key of a tenant
	operator                         // operator keys
	tenantOperator                   // operator keys of a tenant
)

// Route is a method and a path pattern that the API serves.
type Route struct {
	Method, Path string

	access   permission
	handle   func(*API, http.ResponseWriter, *http.Request, access.Principal) error
	transfer bool // may take as long as it moves
}

// routes is everything there is.
var routes = []Route{
	{Method: "POST", Path: "/v1/batches", access: sender, handle: (*API).postBatch, transfer: true},
	{Method: "GET", Path: "/v1/batches", access: sender, handle: (*API).findBatches},
	{Method: "GET", Path: "/v1/batches/{id}", access: sender, handle: (*API).getBatch},
	{Method: "GET", Path: "/v1/batches/{id}/rows", access: sender, handle: (*API).getRows, transfer: true},
	{Method: "POST", Path: "/v1/devices", access: sender, handle: (*API).postDevice},
	{Method: "GET", Path: "/v1/devices", access: sender, handle: (*API).findDevices},
	{Method: "GET", Path: "/v1/devices/{id}", access: sender, handle: (*API).getDevice},
	{Method: "GET", Path: "/v1/devices/{id}/timeline", access: sender, handle: (*API).getTimeline},
	{Method: "POST", Path: "/v1/devices/{id}/release", access: tenantOperator, handle: (*API).release},
	{Method: "POST", Path: "/v1/devices/{id}/retire", access: tenantOperator, handle: (*API).retire},
	{Method: "POST", Path: "/v1/devices/{id}/replace", access: tenantOperator, handle: (*API).replace},
	{Method: "POST", Path: "/v1/devices/{id}/change", access: tenantOperator, handle: (*API).change},
	{Method: "GET", Path: "/v1/dead-letters", access: operator, handle: (*API).getDeadLetters},
	{Method: "POST", Path: "/v1/dead-letters/replay", access: operator, handle: (*API).replay},
	{Method: "GET", Path: "/livez", access: public, handle: (*API).live},
	{Method: "GET", Path: "/readyz", access: public, handle: (*API).ready},
}

// Routes returns what the API serves.
func Routes() []Route { return append([]Route(nil), routes...) }

// New returns the API. An error names a key that cannot be used.
func New(c Config, d Deps) (*API, error) {
	c = c.withDefaults()
	keys, err := access.NewKeyring(d.Tenants.All(), c.Operators)
	if err != nil {
		return nil, err
	}
	rules, err := validate.New()
	if err != nil {
		return nil, err
	}
	a := &API{
		Deps:    d,
		rules:   rules,
		config:  c,
		keys:    keys,
		limits:  newLimiter(c),
		metrics: newMetrics(d.Metrics),
		mux:     http.NewServeMux(),
	}
	methods := map[string]string{}
	for _, r := range routes {
		a.mux.Handle(r.Method+" "+r.Path, a.route(r))
		methods[r.Path] += ", " + r.Method
	}
	for path, allowed := range methods {
		a.mux.Handle(path, a.route(Route{Path: path, access: sender, handle: notAllowed(allowed[2:])}))
	}
	a.mux.Handle("/", a.route(Route{Path: "/", access: sender, handle: (*API).unknown}))
	return a, nil
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

func (a *API) live(w http.ResponseWriter, r *http.Request, _ access.Principal) error {
	a.Health.Live(w, r)
	return nil
}

// ready tells everybody what is wrong, and nobody where our databases are.
func (a *API) ready(w http.ResponseWriter, r *http.Request, _ access.Principal) error {
	a.Health.Answer(w, r, func(err error) string {
		if errors.Is(err, telemetry.ErrStarting) || errors.Is(err, telemetry.ErrDraining) {
			return err.Error()
		}
		return string(fault.CodeOf(err))
	})
	return nil
}
