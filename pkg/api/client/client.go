// Package client is the Go client of the HTTP API of the collector (docs/api/openapi.yaml); its values are those of
// package api. The key decides whose batches and devices a [Client] sees: one of another tenant is as unknown as one
// that does not exist.
//
// Every call but an upload ends after 30 seconds, every answer after 32 MiB. A call fails with one of three errors:
//
//   - [*Problem]: the API refused. Its Code is one of the catalogue (docs/error-codes.md), its text says what to do.
//   - [*Unreachable]: the answer did not arrive, and whether the server did what it was asked is unknown. Reads can be
//     repeated, and so can an upload under its idempotency key, a replay, and a decision about a device.
//   - the context's, when the caller gave up; or what its own reader failed with.
//
// [Patience] says of any of them whether the same call may succeed later.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	callTimeout    = 30 * time.Second // of everything but an upload
	answerLimit    = 32 << 20         // bytes: a page of rows is far smaller
	rowPage        = 1000
	deadLetterPage = 500
	// ReplayPage is how many dead letters one request replays at most.
	ReplayPage = 100
)

// Client calls the API with one key. It is safe for concurrent use.
type Client struct {
	base *url.URL
	key  string
	http *http.Client
}

// New returns a Client of the API at server, an http or https URL such as http://127.0.0.1:8080 or
// https://taxiway.contoso.com/api. It sends nothing yet; a URL that cannot be used, or no key, is an error. Proxies
// come from the environment. Redirects are not followed, as they would carry the key to another host.
func New(server, key string) (*Client, error) {
	base, err := url.Parse(server)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || base.User != nil {
		return nil, errors.New("the address of the server must be http://HOST:PORT or https://HOST, without a user")
	}
	if key == "" {
		return nil, errors.New("there is no API key")
	}
	return &Client{base: base, key: key, http: &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 2 * time.Minute, // from the last byte of the request on
			IdleConnTimeout:       time.Minute,
			ForceAttemptHTTP2:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// get reads the JSON at a path into out.
func (c *Client) get(ctx context.Context, path string, query url.Values, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := c.request(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return err
	}
	return c.do(r, out)
}

// post sends in as JSON and reads the answer into out.
func (c *Client) post(ctx context.Context, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := c.request(ctx, http.MethodPost, path, nil, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	return c.do(r, out)
}

func (c *Client) request(
	ctx context.Context,
	method, path string,
	query url.Values,
	body io.Reader,
) (*http.Request, error) {
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "taxiway")
	return r, nil
}

func (c *Client) do(r *http.Request, out any) error {
	resp, err := c.http.Do(r)
	if err != nil {
		return unreachable(r.Context(), err)
	}
	defer resp.Body.Close() //nolint:errcheck // what matters has been read
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	switch {
	case err != nil:
		return unreachable(r.Context(), err)
	case len(body) > answerLimit:
		return fmt.Errorf("the server's answer is longer than %d bytes", answerLimit)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return problemOf(resp, body)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("the server's answer is not understood; is this a Taxiway server? %w", err)
	}
	return nil
}

// Unreachable is the error of a call whose request or answer did not arrive. What the server did is unknown.
type Unreachable struct{ Err error }

// Error says what went wrong on the way, without the query, which may hold a serial number.
func (e *Unreachable) Error() string { return "the server cannot be reached: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Unreachable) Unwrap() error { return e.Err }

func unreachable(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) { // the cause may be a signal, which is no error of the server's
		return ctx.Err()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return &Unreachable{err}
}
