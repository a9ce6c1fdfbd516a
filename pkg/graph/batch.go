package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"taxiway.example/pkg/fault"
)

// MaxBatch is the most requests Graph takes in one batch (Microsoft page "Combine multiple HTTP requests using JSON
// batching").
const MaxBatch = 20

// Result is what became of one request of a batch.
type Result struct {
	Err  error // as Do would return it
	body json.RawMessage
}

// Decode reads the answer into out, or returns Err.
func (r Result) Decode(out any) error {
	if r.Err != nil {
		return r.Err
	}
	if err := json.Unmarshal(r.body, out); err != nil {
		return fault.Wrap(err, fault.GraphUnexpected, "the answer cannot be read")
	}
	return nil
}

type batchRequest struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    any               `json:"body,omitempty"`
}

type batchResponse struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// Batch carries out requests in as many batches as they need and returns one result each, in order. A batch saves round
// trips, not budget: each request counts at the gate and can be throttled alone. A batch of reads is repeated like a
// read.
func (c *Client) Batch(ctx context.Context, v Version, requests []Request) []Result {
	var results []Result
	for chunk := range slices.Chunk(requests, MaxBatch) {
		results = append(results, c.batch(ctx, v, chunk)...)
	}
	return results
}

func (c *Client) batch(ctx context.Context, v Version, requests []Request) []Result {
	k := &call{cost: len(requests), batch: true}
	inner := make([]batchRequest, len(requests))
	for i, r := range requests {
		k.class = max(k.class, r.class())
		k.hide = append(k.hide, r.Hide...)
		inner[i] = batchRequest{
			ID:      strconv.Itoa(i),
			Method:  r.Method,
			URL:     r.target(),
			Body:    r.Body,
			Headers: innerHeader(r),
		}
	}
	var answer struct {
		Responses []batchResponse `json:"responses"`
	}
	envelope := Request{Method: http.MethodPost, Body: struct {
		Requests []batchRequest `json:"requests"`
	}{inner}}
	err := c.send(ctx, k, envelope, c.origin+"/"+string(v)+"/$batch", &answer)
	if err != nil {
		return slices.Repeat([]Result{{Err: err}}, len(requests))
	}
	return c.results(ctx, requests, answer.Responses)
}

func innerHeader(r Request) map[string]string {
	h := map[string]string{}
	for name := range r.Header {
		h[name] = r.Header.Get(name)
	}
	if r.Body != nil {
		h["Content-Type"] = "application/json"
	}
	return h
}

// results are the outcomes of a batch that was answered. However many of its requests were throttled, it counts as one
// 429.
func (c *Client) results(ctx context.Context, requests []Request, responses []batchResponse) []Result {
	results := make([]Result, len(requests))
	refusals := make([]*Error, len(requests))
	calls := make([]*call, len(requests))
	var throttled []*Error
	for i, r := range requests {
		calls[i] = &call{class: r.class(), hide: r.Hide, apart: r.Apart}
		results[i], refusals[i] = c.result(calls[i], responses, strconv.Itoa(i))
		if refusals[i] != nil && calls[i].throttled(refusals[i]) {
			throttled = append(throttled, refusals[i])
		}
	}
	if len(throttled) > 0 {
		c.shut(ctx, throttled...)
	} else {
		c.slowed.Store(0)
	}
	for i, e := range refusals {
		if e != nil {
			results[i].Err = faultOf(calls[i], e)
		}
	}
	return results
}

// result finds the answer of one request, which may be a refusal; Graph sends them in any order.
func (c *Client) result(k *call, responses []batchResponse, id string) (Result, *Error) {
	at := slices.IndexFunc(responses, func(b batchResponse) bool { return b.ID == id })
	if at < 0 {
		return Result{Err: unreadable(k, fmt.Errorf("no answer to request %s of the batch", id))}, nil
	}
	b := responses[at]
	if b.Status >= 200 && b.Status <= 299 {
		return Result{body: b.Body}, nil
	}
	header := http.Header{}
	for name, value := range b.Headers {
		header.Set(name, value)
	}
	return Result{}, parseError(b.Status, header, bytes.TrimSpace(b.Body), c.config.Now(), k.hide)
}
