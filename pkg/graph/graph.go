// Package graph carries requests to Microsoft Graph: token, budget, timeouts, limits, paging, batching and errors. It
// knows nothing of Autopilot; its nouns are in package autopilot.
//
// Every call ends in one of three ways: it worked; it certainly did not happen (a [fault.Error] of any code but one);
// or, for a write, nobody can know: fault.GraphUnknownOutcome. Writes are sent once and never repeated here. Reads are
// repeated a few times. Bodies, tokens and query strings never reach an error or a log record.
package graph

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Version is the API version a request goes to; the two cannot be mixed in one batch.
type Version string

// The versions of Microsoft Graph.
const (
	V1   Version = "v1.0"
	Beta Version = "beta"
)

// PublicCloud is the root of Microsoft Graph in the public cloud; national clouds have other hosts (Microsoft page
// "National cloud deployments").
const PublicCloud = "https://graph.microsoft.com"

// Config is what a Client needs. Tokens is required; everything else has a default.
type Config struct {
	Root    string        // scheme and host without version, default PublicCloud; http only on the loopback interface
	Tokens  TokenSource   // signs in; its tokens are cached here
	Gate    Gate          // the tenant's budget, default Open
	HTTP    *http.Client  // default NewHTTPClient(); shared by all tenants to share connections
	Timeout time.Duration // of one try, answer read included, default 60 s
	// the longest wait at the gate before the call is given back as throttled, default 1 s; < 0 = none
	Patience time.Duration
	Retries  int           // further tries of a read after a server or network error, default 2; < 0 = none
	Pause    time.Duration // before the first of them, then growing, default 300 ms
	Log      *slog.Logger  // one debug record per exchange, default none
	Now      func() time.Time
}

// Client talks to Microsoft Graph for one tenant. It is safe for concurrent use.
type Client struct {
	config   Config
	origin   string
	pipeline runtime.Pipeline
	slowed   atomic.Int32 // answers 429 in a row that did not say for how long
}

// New returns a client, or says what is wrong with the configuration.
func New(config Config) (*Client, error) {
	if config.Tokens == nil {
		return nil, errors.New("graph: no token source")
	}
	config = config.withDefaults()
	origin, err := checkRoot(config.Root)
	if err != nil {
		return nil, err
	}
	c := &Client{config: config, origin: origin}
	c.pipeline = runtime.NewPipeline("taxiway", "1", runtime.PipelineOptions{
		PerRetry: []policy.Policy{
			&authPolicy{tokens: &tokenCache{source: config.Tokens, now: config.Now}},
			&gatePolicy{gate: config.Gate, patience: config.Patience, now: config.Now},
			&exchangePolicy{log: config.Log, now: config.Now},
		},
	}, &policy.ClientOptions{
		Transport: limiter{config.HTTP},
		Telemetry: policy.TelemetryOptions{Disabled: true},
		Logging:   policy.LogOptions{IncludeBody: false},
	})
	return c, nil
}

func (c Config) withDefaults() Config {
	c.Root = cmp.Or(c.Root, PublicCloud)
	c.Gate = cmp.Or[Gate](c.Gate, Open{})
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.HTTP == nil {
		c.HTTP = NewHTTPClient()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Timeout = cmp.Or(c.Timeout, time.Minute)
	c.Patience = cmp.Or(c.Patience, time.Second)
	c.Pause = cmp.Or(c.Pause, 300*time.Millisecond)
	c.Retries = cmp.Or(c.Retries, 2)
	return c
}

// checkRoot returns the origin of a root, and refuses to send tokens in the clear beyond this machine.
func checkRoot(root string) (string, error) {
	u, err := url.Parse(root)
	if err != nil {
		return "", fmt.Errorf("graph: root: %w", err)
	}
	if u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", fmt.Errorf("graph: root %q is not scheme://host", root)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return "", fmt.Errorf("graph: root %q must be https", root)
	}
	return u.Scheme + "://" + u.Host, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// NewHTTPClient returns a client with timeouts on every phase of a call that follows no redirects: a token must not
// travel to a host that nobody configured.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Timeout: 2 * time.Minute,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: time.Minute,
			IdleConnTimeout:       90 * time.Second,
			MaxIdleConns:          100,
			MaxIdleConnsPerHost:   16,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
