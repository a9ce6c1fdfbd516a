package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const maxBatch = 20

// batchItem is one request of an envelope.
type batchItem struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// batch answers POST /$batch: every request by itself, answers in any order.
func (s *Server) batch(c *call) *reply {
	var in struct {
		Requests []batchItem `json:"requests"`
	}
	if _, rep := c.decode(&in, "the batch", "requests"); rep != nil {
		return rep
	}
	if rep := checkBatch(c, in.Requests); rep != nil {
		return rep
	}
	done := map[string]int{}
	var responses []map[string]any
	for _, item := range in.Requests {
		status, response, rep := s.batchOne(c, item, done)
		if rep != nil {
			return rep // the connection of the envelope is gone
		}
		done[fold(item.ID)] = status
		responses = append(responses, response)
	}
	s.rng.Shuffle(len(responses), func(i, j int) { responses[i], responses[j] = responses[j], responses[i] })
	return ok(http.StatusOK, map[string]any{"responses": responses})
}

// checkBatch refuses envelopes; dependencies must come earlier, which is how
// the simulator keeps them free of circles.
func checkBatch(c *call, items []batchItem) *reply {
	if len(items) == 0 || len(items) > maxBatch {
		return c.bad(fmt.Sprintf("Number of batch request steps must be from 1 to %d.", maxBatch))
	}
	seen := map[string]bool{}
	for _, item := range items {
		id := fold(item.ID)
		switch {
		case id == "" || seen[id]:
			return c.bad("Request ids must be given and unique in the batch.")
		case item.Method == "" || item.URL == "":
			return c.bad("Method and url must be given for every request.")
		case strings.Contains(item.URL, "://"):
			return c.bad("The url of a batch request must be relative.")
		}
		for _, other := range item.DependsOn {
			if !seen[fold(other)] {
				return c.bad("A batch request depends on one that is not in front of it.")
			}
		}
		seen[id] = true
	}
	return nil
}

// batchOne answers one request; the third result is set if the connection broke.
func (s *Server) batchOne(c *call, item batchItem, done map[string]int) (int, map[string]any, *reply) {
	inner, rep := c.inner(item)
	for _, other := range item.DependsOn {
		if rep == nil && done[fold(other)] >= 400 {
			rep = fail(http.StatusFailedDependency, "FailedDependency", "A request that this one depends on failed.")
		}
	}
	if rep == nil {
		rep = s.answer(inner)
	}
	switch rep = s.finish(inner, rep); rep.end {
	case dropped, cut:
		return 0, nil, &reply{end: dropped}
	case hung:
		return 0, nil, &reply{end: hung}
	}
	response := map[string]any{"id": item.ID, "status": rep.status, "headers": flat(rep.header)}
	switch {
	case len(rep.body) == 0:
	case json.Valid(rep.body):
		response["body"] = json.RawMessage(rep.body)
	default:
		response["body"] = base64.StdEncoding.EncodeToString(rep.body)
	}
	return rep.status, response, nil
}

func flat(h http.Header) map[string]string {
	out := map[string]string{}
	for k := range h {
		out[k] = h.Get(k)
	}
	return out
}

// inner is the call that an item of an envelope stands for.
func (c *call) inner(item batchItem) (*call, *reply) {
	header := http.Header{}
	for k, v := range item.Headers {
		header.Set(k, v)
	}
	header.Set("Authorization", c.header.Get("Authorization"))
	if isNull(item.Body) { // Microsoft's SDKs write "body": null where there is none
		item.Body = nil
	}
	target, err := url.Parse("/" + c.version + "/" + strings.TrimPrefix(item.URL, "/"))
	if err != nil {
		target = &url.URL{Path: "/" + c.version}
	}
	in := &call{
		now: c.now, method: strings.ToUpper(item.Method), path: target.EscapedPath(), header: header,
		query: target.Query(), body: item.Body, base: c.base, version: c.version,
	}
	in.entry = Request{Time: c.now, Method: in.method, Path: target.Path, Query: target.RawQuery, Batched: true}
	switch {
	case err != nil:
		return in, c.bad("The url of the request is malformed.")
	case strings.HasSuffix(target.Path, "/$batch"):
		return in, c.bad("A batch must not contain a batch.")
	case len(item.Body) > 0 && header.Get("Content-Type") == "":
		return in, c.bad("Content-Type header is missing for a request with a body.")
	}
	return in, nil
}
