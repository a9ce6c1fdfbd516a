package graph

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/uuid"
	"taxiway.example/pkg/fault"
)

// The most that is read of an answer, in bytes. A page of 1000 identities is about 1 MB; of an error only the head
// matters.
const (
	MaxAnswer = 32 << 20
	MaxError  = 64 << 10
)

// limiter is the transport under the pipeline: it bounds what is read and notes whether anything may have been sent.
type limiter struct{ http *http.Client }

// Do sends one request. Until a connection was got nothing can have been sent; after that anything may have been. A
// transport that does not report its connections is taken to have sent.
func (l limiter) Do(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	k := callOf(req.Context())
	asked := false
	got := false
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { asked = true },
		GotConn: func(httptrace.GotConnInfo) { got = true },
	}
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	resp, err := l.http.Do(req) //nolint:gosec // configured host; next links are pinned to it
	if got || !asked {
		k.sent.Store(true)
	}
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < http.StatusBadRequest {
		resp.Body = http.MaxBytesReader(nil, resp.Body, MaxAnswer)
	} else {
		resp.Body = head{io.LimitReader(resp.Body, MaxError), resp.Body}
	}
	return resp, nil
}

// head is the beginning of a body.
type head struct {
	io.Reader
	io.Closer
}

// retries says how a call may be repeated: a write never, a read after network and server errors. A 429 never: it shuts
// the gate instead (Microsoft page "Microsoft Graph throttling guidance": rejected requests count as well).
func (c *Client) retries(class Class) policy.RetryOptions {
	o := policy.RetryOptions{
		TryTimeout:    c.config.Timeout,
		MaxRetries:    int32(min(c.config.Retries, 10)),
		RetryDelay:    c.config.Pause,
		MaxRetryDelay: 5 * time.Second,
		ShouldRetry:   again,
	}
	if class == Write {
		o.MaxRetries = -1
	}
	return o
}

func again(resp *http.Response, err error) bool {
	if err != nil {
		return !fault.Is(err)
	}
	return unstable(resp.StatusCode)
}

// unstable are the statuses that say nothing about the request.
func unstable(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusRequestTimeout
}

// exchangePolicy names each try and leaves one log record of it.
type exchangePolicy struct {
	log *slog.Logger
	now func() time.Time
}

// Do sends the request under a fresh client-request-id (Microsoft page "Best practices for working with Microsoft
// Graph").
func (p *exchangePolicy) Do(req *policy.Request) (*http.Response, error) {
	id := uuid.NewString()
	start := p.now()
	raw := req.Raw()
	raw.Header.Set("client-request-id", id)
	resp, err := req.Next()
	attrs := []slog.Attr{
		slog.String("method", raw.Method), slog.String("path", raw.URL.Path),
		slog.String("client_request_id", id), slog.Duration("took", p.now().Sub(start)),
	}
	if resp != nil {
		attrs = append(
			attrs,
			slog.Int("status", resp.StatusCode),
			slog.String("request_id", resp.Header.Get("request-id")),
		)
	}
	if err != nil {
		attrs = append(attrs, slog.Any("error", plain(err)))
	}
	p.log.LogAttrs(raw.Context(), slog.LevelDebug, "graph exchange", attrs...)
	return resp, err
}
