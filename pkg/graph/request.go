package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"taxiway.example/pkg/fault"
)

// Request is one call.
type Request struct {
	Method  string // GET, or a write
	Version Version
	Path    string      // begins with a slash, ids escaped with url.PathEscape
	Query   url.Values  // OData options; kept out of logs and errors
	Header  http.Header // e.g. ConsistencyLevel; sent again with every page
	Body    any         // marshalled as JSON; nil = none
	Hide    []string    // values, such as a serial number, to mask where the answer's error text repeats them

	// Apart says that being throttled concerns this call only, as with windowsAutopilotSettings/sync: the gate stays
	// open.
	Apart bool
}

func (r Request) class() Class {
	switch {
	case r.Method != http.MethodGet:
		return Write
	case strings.HasPrefix(r.Path, "/devices") || strings.HasPrefix(r.Path, "/groups"):
		return Directory
	}
	return Read
}

// target is path and query. Option names keep their dollar sign and blanks become %20, as Microsoft's own pages write
// them.
func (r Request) target() string {
	var pairs []string
	for name, values := range r.Query {
		for _, v := range values {
			pairs = append(pairs, name+"="+strings.ReplaceAll(url.QueryEscape(v), "+", "%20"))
		}
	}
	if len(pairs) == 0 {
		return r.Path
	}
	slices.Sort(pairs)
	return r.Path + "?" + strings.Join(pairs, "&")
}

// call is what the policies and the transport know and learn about one call; it travels in the context.
type call struct {
	class Class
	cost  int         // requests it counts for
	sent  atomic.Bool // some of it may have reached the other side
	hide  []string
	apart bool
	batch bool // whether it was throttled is for the answers within its own to say
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	if k, ok := ctx.Value(callKey{}).(*call); ok {
		return k
	}
	return &call{cost: 1}
}

// Do carries out one request and decodes a JSON answer into out unless that is nil.
func (c *Client) Do(ctx context.Context, r Request, out any) error {
	k := &call{class: r.class(), cost: 1, hide: r.Hide, apart: r.Apart}
	return c.send(ctx, k, r, c.origin+"/"+string(r.Version)+r.target(), out)
}

// send is Do for a ready-made address.
func (c *Client) send(ctx context.Context, k *call, r Request, address string, out any) error {
	req, err := c.build(ctx, k, r, address)
	if err != nil {
		return err
	}
	resp, err := c.pipeline.Do(req)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	if err != nil {
		return lost(ctx, k, err)
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return lost(ctx, k, err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return c.refused(ctx, k, parseError(resp.StatusCode, resp.Header, body, c.config.Now(), k.hide))
	}
	if !k.batch {
		c.slowed.Store(0)
	}
	return decode(k, body, out)
}

func (c *Client) build(ctx context.Context, k *call, r Request, address string) (*policy.Request, error) {
	ctx = policy.WithRetryOptions(context.WithValue(ctx, callKey{}, k), c.retries(k.class))
	req, err := runtime.NewRequest(ctx, r.Method, address)
	if err != nil {
		// The cause would name the address, whose query may hold a serial number.
		return nil, fault.New(fault.GraphBadRequest, "the request's address cannot be parsed")
	}
	for name, values := range r.Header {
		req.Raw().Header[name] = slices.Clone(values)
	}
	req.Raw().Header.Set("Accept", "application/json")
	req.Raw().Header.Set("User-Agent", "taxiway")
	if r.Body == nil {
		return req, nil
	}
	if err := runtime.MarshalAsJSON(req, r.Body); err != nil {
		return nil, fault.Wrap(err, fault.GraphBadRequest, "the request's body cannot be encoded")
	}
	return req, nil
}

// decode reads a good answer. A write whose answer cannot be read has happened, but what came of it is unknown.
func decode(k *call, body []byte, out any) error {
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return unreadable(k, fmt.Errorf("%d bytes of JSON: %w", len(body), err))
	}
	return nil
}

func unreadable(k *call, err error) error {
	if k.class == Write {
		return fault.Wrap(err, fault.GraphUnknownOutcome, "the answer cannot be read")
	}
	return fault.Wrap(err, fault.GraphUnexpected, "the answer cannot be read")
}
