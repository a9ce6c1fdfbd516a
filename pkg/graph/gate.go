package graph

import (
	"context"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"taxiway.example/pkg/backoff"
	"taxiway.example/pkg/fault"
)

// Class says which budget a request counts against.
type Class uint8

// The classes.
const (
	Read Class = iota // GET of anything but the directory
	// GET of Entra's devices and groups, which has limits of its own (Microsoft page "Throttling limits")
	Directory
	Write // POST, PATCH, PUT, DELETE
)

// String returns the lower-case name of the class.
func (c Class) String() string {
	switch c {
	case Directory:
		return "directory"
	case Write:
		return "write"
	}
	return "read"
}

// Gate is the tenant's share of Microsoft Graph. It is asked before every try, and shut when Graph answers 429. It must
// count for all processes that work for the tenant.
type Gate interface {
	// Take takes n requests of the class and returns zero, or takes nothing and returns how long to wait.
	Take(ctx context.Context, class Class, n int) (wait time.Duration, err error)
	// Shut closes the gate for every class until the given time.
	Shut(ctx context.Context, until time.Time) error
}

// Open is the gate that is never shut.
type Open struct{}

// Take returns zero.
func (Open) Take(context.Context, Class, int) (time.Duration, error) { return 0, nil }

// Shut does nothing.
func (Open) Shut(context.Context, time.Time) error { return nil }

// gatePolicy asks the gate. It waits while that is short; otherwise the caller gives its turn away.
type gatePolicy struct {
	gate     Gate
	patience time.Duration
	now      func() time.Time
}

// Do sends the request once the gate lets it pass.
func (p *gatePolicy) Do(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	if err := p.pass(ctx, callOf(ctx)); err != nil {
		return nil, err
	}
	return req.Next()
}

func (p *gatePolicy) pass(ctx context.Context, k *call) error {
	for left := p.patience; ; {
		wait, err := p.gate.Take(ctx, k.class, k.cost)
		if err != nil {
			return asFault(err, fault.GraphUnavailable, "the tenant's budget cannot be read")
		}
		if wait <= 0 {
			return nil
		}
		if wait > left {
			return fault.Newf(fault.GraphThrottled, "the tenant's budget of %ss is used up", k.class).After(wait)
		}
		if err := backoff.Wait(ctx, wait); err != nil {
			return err
		}
		left -= wait
	}
}
