package autopilot

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/graph"
	"taxiway.example/pkg/ledger"
	"taxiway.example/pkg/tenant"
)

// Tenants finds the configuration of a tenant; tenant.Directory does.
type Tenants interface {
	Get(id device.TenantID) (tenant.Tenant, error)
}

// Settings are what a Directory needs. Tenants and Budget are required.
type Settings struct {
	Tenants  Tenants
	Budget   ledger.Budget
	HTTP     *http.Client  // shared by all tenants, default graph.NewHTTPClient()
	Timeout  time.Duration // of one try, default that of package graph
	Patience time.Duration // the longest wait at the gate, default that of package graph
	Retries  int           // further tries of a read, default that of package graph
	Options  Options
	Log      *slog.Logger
	Now      func() time.Time
}

// Directory has one client for each tenant, made when it is first asked for. It is safe for concurrent use.
type Directory struct {
	settings Settings

	mu      sync.Mutex
	clients map[device.TenantID]*Client
}

// NewDirectory returns a Directory without clients.
func NewDirectory(s Settings) *Directory {
	if s.HTTP == nil {
		s.HTTP = graph.NewHTTPClient()
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	return &Directory{settings: s, clients: map[device.TenantID]*Client{}}
}

// For returns the tenant's client. Errors are a fault.TenantUnknown or a fault.TenantCredentialsRefused; nothing is
// sent.
func (d *Directory) For(id device.TenantID) (*Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c, ok := d.clients[id]; ok {
		return c, nil
	}
	t, err := d.settings.Tenants.Get(id)
	if err != nil {
		return nil, err
	}
	c, err := d.connect(t)
	if err != nil {
		return nil, err
	}
	d.clients[id] = c
	return c, nil
}

func (d *Directory) connect(t tenant.Tenant) (*Client, error) {
	s := d.settings
	tokens, err := d.Tokens(t)
	if err != nil {
		return nil, err
	}
	config := graph.Config{
		Root: t.Endpoints.Graph, Tokens: tokens, Gate: gate{s.Budget, t, s.Now}, HTTP: s.HTTP,
		Timeout: s.Timeout, Patience: s.Patience, Retries: s.Retries, Log: s.Log, Now: s.Now,
	}
	if s.Log != nil {
		config.Log = s.Log.With("tenant", string(t.ID))
	}
	g, err := graph.New(config)
	if err != nil {
		return nil, fault.Wrap(err, fault.TenantCredentialsRefused, "the tenant's endpoints are not usable")
	}
	options := s.Options
	options.Now = s.Now
	return New(g, options), nil
}

// scope is what a token is asked for. The simulator on the loopback interface stands for the public cloud.
func scope(t tenant.Tenant) string {
	root := cmp.Or(strings.TrimRight(t.Endpoints.Graph, "/"), graph.PublicCloud)
	if !strings.HasPrefix(root, "https:") {
		root = graph.PublicCloud
	}
	return root + "/.default"
}

// gate is a tenant's share of Graph, counted in the ledger for all replicas.
type gate struct {
	budget ledger.Budget
	tenant tenant.Tenant
	now    func() time.Time
}

// Take takes n tokens of the class's bucket.
func (g gate) Take(ctx context.Context, class graph.Class, n int) (time.Duration, error) {
	limits := g.tenant.Limits
	rate := limits.ReadRate()
	switch class {
	case graph.Write:
		rate = limits.WriteRate()
	case graph.Directory:
		rate = limits.DirectoryRate()
	}
	return g.budget.Take(ctx, g.tenant.ID, "graph."+class.String(), n, rate, g.now())
}

// Shut closes the tenant's gate.
func (g gate) Shut(ctx context.Context, until time.Time) error {
	return g.budget.Shut(ctx, g.tenant.ID, until, fault.GraphThrottled)
}
